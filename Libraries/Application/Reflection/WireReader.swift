/// Reads the fields of one protobuf message one after the other, without knowing its type.
///
/// Enough for descriptors, which our own generator wrote: a malformed message reads as one that ends early.
/// Source: protobuf.dev, "Encoding".
struct WireReader: IteratorProtocol, Sequence {
    struct Field {
        let number: Int
        /// The bytes of a length-delimited field; empty for the others.
        let bytes: ArraySlice<UInt8>
        /// The value of a varint; 0 for the others.
        let value: UInt64

        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> Field? {
        guard let tag = varint() else { return nil }
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0: return varint().map { Field(number: number, bytes: [], value: $0) }
        case 1: return take(8).map { _ in Field(number: number, bytes: [], value: 0) }
        case 2:
            guard let count = varint(), let bytes = take(Int(clamping: count)) else { return nil }
            return Field(number: number, bytes: bytes, value: 0)
        case 5: return take(4).map { _ in Field(number: number, bytes: [], value: 0) }
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
