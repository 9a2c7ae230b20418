/// Why something from outside is not a value of a type. The reason goes to the caller beside the field's name, so it never
/// repeats what was given.
package struct InvalidValue: Error, Hashable {
    private let reason: String
    private let isSentence: Bool

    /// A reason to be read after a name, without a full stop: `is needed`.
    package init(_ reason: String) {
        self.reason = reason
        isSentence = false
    }

    /// A reason that is a sentence by itself: `It must not hold a NUL character.`
    package init(sentence: String) {
        reason = sentence
        isSentence = true
    }

    /// The reason as a sentence, about whatever has this name if it does not say so itself.
    package func sentence(about name: String = "The field") -> String { isSentence ? reason : "\(name) \(reason)." }
}
