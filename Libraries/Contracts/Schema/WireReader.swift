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

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    package var isAtEnd: Bool { rest.isEmpty }

    package mutating func next() -> Field? {
        guard let tag = varint() else { return nil }
        let number = Int(clamping: tag >> 3)
        switch tag & 7 {
        case 0: return varint().map { Field(number: number, wireType: 0, value: $0, bytes: []) }
        case 1: return fixed(8).map { Field(number: number, wireType: 1, value: $0, bytes: []) }
        case 2:
            guard let count = varint(), let bytes = take(Int(clamping: count)) else { return nil }
            return Field(number: number, wireType: 2, value: 0, bytes: bytes)
        case 5: return fixed(4).map { Field(number: number, wireType: 5, value: $0, bytes: []) }
        default: return nil
        }
    }

    /// The next varint of a packed field.
    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// The next little-endian number of a packed field.
    mutating func fixed(_ byteCount: Int) -> UInt64? {
        take(byteCount).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
