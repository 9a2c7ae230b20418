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

    mutating func lengthDelimited(_ number: Int, _ content: [UInt8]) {
        tag(number, 2)
        counted(content)
    }
}
