/// A message whose bytes pass through unread, for a program that forwards calls.
package struct RawMessage: Message, Hashable {
    package static var fullName: String { "bytes" }

    package var bytes: [UInt8]

    package init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    package init(decoding bytes: RawSpan) {
        self.bytes = [UInt8](copying: bytes)
    }

    package func encode(_ write: (_ byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Void) {
        unsafe write(bytes.count) { place in
            unsafe bytes.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
        }
    }
}

extension [UInt8] {
    /// The bytes of a span, copied once.
    package init(copying span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
