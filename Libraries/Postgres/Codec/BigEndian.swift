extension Array where Element == UInt8 {
    /// Appends the bytes of an integer, the highest first, as PostgreSQL's binary forms do.
    mutating func appendBigEndian<Integer: FixedWidthInteger>(_ integer: Integer) {
        var shift = Integer.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: integer >> Integer(truncatingIfNeeded: shift)))
        }
    }

    /// Overwrites four bytes that were left free for a length.
    mutating func setLength(_ length: Int, at offset: Int) {
        let value = UInt32(truncatingIfNeeded: length)
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
    }
}

extension Span where Element == UInt8 {
    /// The integer whose highest byte stands at `offset`, or `nil` if the bytes end before it does.
    func bigEndian<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int = 0) -> Integer? {
        let width = Integer.bitWidth / 8
        guard offset >= 0, offset <= count - width else { return nil }
        var value: Integer = 0
        for index in offset..<offset + width {
            value = value << 8 | Integer(truncatingIfNeeded: self[index])
        }
        return value
    }
}
