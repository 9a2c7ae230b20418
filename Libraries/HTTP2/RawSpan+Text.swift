internal import Glibc

extension RawSpan {
    /// Whether the bytes are those of the text.
    package func equals(_ text: StaticString) -> Bool {
        unsafe withUnsafeBytes { bytes in
            guard bytes.count == text.utf8CodeUnitCount else { return false }
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(start, text.utf8Start, bytes.count) == 0
        }
    }

    package func equals(_ other: [UInt8]) -> Bool { unsafe equals(other.span.bytes) }

    package func equals(_ text: String) -> Bool {
        let isEqual = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe equals($0.span.bytes) }
        return isEqual ?? equals(Array(text.utf8))
    }

    private func equals(_ other: RawSpan) -> Bool {
        unsafe withUnsafeBytes { bytes in
            unsafe other.withUnsafeBytes { other in
                guard bytes.count == other.count else { return false }
                guard let start = bytes.baseAddress, let otherStart = other.baseAddress else { return true }
                return unsafe memcmp(start, otherStart, bytes.count) == 0
            }
        }
    }

    /// Whether the bytes begin with those of the text.
    package func hasPrefix(_ text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && extracting(first: text.utf8CodeUnitCount).equals(text)
    }
}

extension String {
    /// The text whose UTF-8 the bytes are; what is not UTF-8 is replaced.
    package init(copying bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
