/// Why a text is no JSON, and where.
package struct JSONSyntaxError: Error, Sendable, Equatable {
    /// Without a full stop, and without anything of the text.
    package let reason: String
    /// The byte, from 0; `nil` where it is about the whole.
    package let position: Int?

    package init(_ reason: String, at position: Int?) {
        self.reason = reason
        self.position = position
    }

    package var sentence: String { position.map { "\(reason), at byte \($0)." } ?? "\(reason)." }
}
