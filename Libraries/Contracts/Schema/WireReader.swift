/// Reads the fields of one protobuf message one after the other, without knowing its type.
///
/// It is for bytes that were checked or made by this program: a malformed message reads as one that ends early.
/// Source: protobuf.dev, "Encoding".
package struct WireReader: IteratorProtocol, Sequence {
    package struct Field {
        package let number: Int
        package let wireType: Int
        /// The bits of a varint or a fixed number; 0 for a length-delimited field.
        package let value: UInt64
        /// The bytes of a length-delimited field; empty for the others.
        package let bytes: ArraySlice<UInt8>

        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// Whether all bytes were fields: one that breaks off is not passed over.
    package var isAtEnd: Bool { position == bytes.endIndex }

    package mutating func next() -> Field? {
        let start = position
        let field = field()
        if field == nil { position = start }
        return field
    }

    private mutating func field() -> Field? {
        guard let tag = varint() else { return nil }
        let number = Int(clamping: tag >> 3)
        switch tag & 7 {
        case 0: return varint().map { Field(number: number, wireType: 0, value: $0, bytes: []) }
        case 1: return fixed(8).map { Field(number: number, wireType: 1, value: $0, bytes: []) }
        case 2:
            guard let count = varint(), let start = skip(Int(clamping: count)) else { return nil }
            return Field(number: number, wireType: 2, value: 0, bytes: bytes[start..<position])
        case 5: return fixed(4).map { Field(number: number, wireType: 5, value: $0, bytes: []) }
        default: return nil
        }
    }

    /// The next varint of a packed field.
    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.endIndex, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// The next little-endian number of a packed field.
    mutating func fixed(_ byteCount: Int) -> UInt64? {
        skip(byteCount).map { start in bytes[start..<position].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// Passes bytes, and answers where they begin.
    private mutating func skip(_ count: Int) -> Int? {
        guard count <= bytes.endIndex - position else { return nil }
        defer { position += count }
        return position
    }
}
