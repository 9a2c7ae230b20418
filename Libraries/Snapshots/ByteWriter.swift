/// Puts numbers and texts behind each other; `ByteReader` takes them out again.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ number: some FixedWidthInteger) {
        var rest = number.littleEndian
        unsafe withUnsafeBytes(of: &rest) { unsafe bytes.append(contentsOf: $0) }
    }

    /// In seven bits a byte: few bytes for a small number.
    package mutating func appendShort(_ number: Int) {
        var rest = UInt64(number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func append(_ text: String) {
        appendShort(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func append(_ numbers: [UInt32]) {
        appendShort(numbers.count)
        bytes.reserveCapacity(bytes.count + numbers.count * 4)
        for number in numbers { append(number) }
    }

    package mutating func append(_ run: RawSpan) {
        unsafe run.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// Hands over what has been gathered and begins anew, with the same memory.
    package mutating func take<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        try body(unsafe bytes.span.bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}
