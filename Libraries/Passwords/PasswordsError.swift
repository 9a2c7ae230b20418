/// Why a password could not be hashed or checked. A wrong password is no error; it is the answer `false`.
///
/// No error holds the password or the stored hash.
package struct PasswordsError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The threads are busy and the queue behind them is full; the caller may try again after a moment.
        case busy
        /// The password has more than `Passwords.maxPasswordBytes` bytes of UTF-8.
        case tooLong
        /// The stored text is not an Argon2id hash, or demands more memory or time than this program allows.
        case malformedHash
        /// The caller's task was cancelled before its turn came.
        case cancelled
        /// libargon2 refused with this code, such as -22 for memory that could not be allocated.
        case argon2(Int32)
    }

    package let code: Code
    /// A sentence for a person.
    package let message: String

    package var description: String { message }

    static let busy = PasswordsError(
        code: .busy, message: "Too many passwords are being checked at this moment; try again shortly.")
    static let tooLong = PasswordsError(
        code: .tooLong, message: "A password may have \(Passwords.maxPasswordBytes) bytes at most.")
    static let cancelled = PasswordsError(
        code: .cancelled, message: "The check of a password was cancelled before it began.")

    static func malformedHash(_ reason: String) -> PasswordsError {
        PasswordsError(code: .malformedHash, message: "The stored password hash cannot be used: \(reason).")
    }
}
