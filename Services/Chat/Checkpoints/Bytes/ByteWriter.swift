/// Writes what is kept in rows and streams: numbers in groups of seven bits, the lowest first, and bytes behind their number.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(_ count: Int) { append(UInt64(count)) }

    /// Numbers near zero are short, whatever their sign.
    mutating func append(signed number: Int32) {
        append(UInt64(UInt32(bitPattern: (number << 1) ^ (number >> 31))))
    }

    mutating func append(counted bytes: some Collection<UInt8>) {
        append(bytes.count)
        self.bytes.append(contentsOf: bytes)
    }

    mutating func append(_ text: String) { append(counted: text.utf8) }

    mutating func append(raw bytes: some Collection<UInt8>) { self.bytes.append(contentsOf: bytes) }
}
