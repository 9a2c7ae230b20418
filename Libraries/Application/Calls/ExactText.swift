/// A text that is compared by its bytes, as PostgreSQL and Redis compare theirs.
///
/// To Swift an "é" of one code point and one of two are equal strings. What has ids by which rows are told apart must not think so: of two rows one would be
/// lost, or a dictionary that takes each key once would end the process.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        var (one, other) = (left.text, right.text)
        return one.withUTF8 { one in other.withUTF8 { other in unsafe one.elementsEqual(other) } }
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { bytes in unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
        // No byte of UTF-8: where one text ends and the next begins counts too.
        hasher.combine(0xFF as UInt8)
    }
}
