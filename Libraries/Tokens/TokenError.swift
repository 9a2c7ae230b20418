/// Why a token was not accepted or could not be made.
///
/// No error holds the token or any part of it: errors are logged, and a token that is logged can be used.
package struct TokenError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Not a token of ours: not three base64url parts, or a claim is missing or has the wrong type.
        case malformed
        /// Signed with another algorithm than ES256, or of another type than an access token.
        case wrongAlgorithm
        /// Signed with a key that the key set does not hold.
        case unknownKey
        case wrongSignature
        case wrongIssuer
        case wrongAudience
        case expired
        /// Valid later, or issued in the future: a clock is wrong.
        case notYetValid
        /// Our own keys cannot be used: a PEM file or a key set is damaged. Not the caller's fault.
        case invalidKeys
        /// The signature could not be computed.
        case signingFailed
    }

    package let code: Code
    /// A sentence for a person.
    package let message: String

    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func malformed(_ reason: String) -> TokenError {
        TokenError(.malformed, "The token cannot be read: \(reason).")
    }

    static func invalidKeys(_ reason: String) -> TokenError {
        TokenError(.invalidKeys, "The token keys cannot be used: \(reason).")
    }
}
