internal import HTTP2

/// A text that a peer sends with every call, such as its `user-agent`, made into a `String` once.
struct RepeatedText {
    private var text = ""
    /// A longer text is not worth keeping for the life of a connection.
    private static let maxBytes = 256

    mutating func string(_ given: RawSpan) -> String {
        if given.equals(text) { return text }
        let made = String(copying: given)
        if given.byteCount <= RepeatedText.maxBytes { text = made }
        return made
    }
}
