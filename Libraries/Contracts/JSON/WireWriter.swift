/// Writes the fields of one protobuf message. Source: protobuf.dev, "Encoding".
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func tag(_ number: Int, _ wireType: Int) {
        varint(UInt64(number) << 3 | UInt64(wireType))
    }

    mutating func varint(_ value: UInt64) { Varint.append(value, to: &bytes) }

    mutating func fixed(_ value: UInt64, byteCount: Int) {
        for shift in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
    }

    mutating func counted(_ content: [UInt8]) {
        varint(UInt64(content.count))
        bytes += content
    }

    mutating func text(_ number: Int, _ text: String) {
        tag(number, 2)
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// A number without its tag, by the bits of its kind.
    mutating func number(_ bits: UInt64, _ kind: FieldSchema.Kind) {
        switch kind {
        case .double, .fixed64, .sfixed64: fixed(bits, byteCount: 8)
        case .float, .fixed32, .sfixed32: fixed(bits, byteCount: 4)
        default: varint(bits)
        }
    }

    mutating func lengthDelimited(_ number: Int, _ content: [UInt8]) {
        tag(number, 2)
        counted(content)
    }
}
