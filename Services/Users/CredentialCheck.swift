internal import Passwords

/// Says whether a password is the one behind a stored hash, with the same work when there is no hash to compare with.
struct CredentialCheck: Sendable {
    /// The stored hash is `nil` for an account that does not exist.
    let matches: @Sendable (_ password: String, _ storedHash: String?) async throws(PasswordsError) -> Bool

    init(matches: @escaping @Sendable (String, String?) async throws(PasswordsError) -> Bool) {
        self.matches = matches
    }

    init(_ passwords: Passwords) {
        self.init { password, storedHash async throws(PasswordsError) in
            if let storedHash {
                try await passwords.verify(password, against: storedHash)
            } else {
                try await passwords.verifyAgainstNothing(password)
            }
        }
    }
}
