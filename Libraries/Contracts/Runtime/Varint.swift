/// Numbers of variable length: seven bits a byte, the lowest first.
enum Varint {
    static let longest = 10

    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    static func byteCount(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }

    /// The number at `start`, and how many bytes it takes. `nil` when it does not end.
    static func read(_ bytes: some RandomAccessCollection<UInt8>, at start: Int) -> (value: UInt64, byteCount: Int)? {
        var value: UInt64 = 0
        for (index, byte) in bytes.dropFirst(start).prefix(longest).enumerated() {
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte < 0x80 { return (value, index + 1) }
        }
        return nil
    }
}
