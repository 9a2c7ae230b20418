internal import Application

/// A password that an account may be opened with. It lives for one call and prints as nothing.
///
/// Length is the rule that helps (NIST SP 800-63B, section 5.1.1.2); there are none about kinds of characters.
struct Password: Sendable, CustomStringConvertible {
    let text: String

    static let characters = 12...256

    init(_ given: String) throws(InvalidValue) {
        // A code point is a character, as the same section counts.
        guard Self.characters.contains(given.unicodeScalars.count) else {
            throw InvalidValue("must have \(Self.characters.lowerBound) to \(Self.characters.upperBound) characters")
        }
        text = given
    }

    var description: String { "Password(…)" }
}
