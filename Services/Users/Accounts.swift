internal import Application
internal import Passwords
internal import Postgres

/// Opens accounts, signs people in, and closes accounts.
struct Accounts: Sendable {
    let users: UserRepository
    let sessions: Sessions
    let erasures: ErasureRepository
    let passwords: Passwords
    let credentials: CredentialCheck

    init(
        users: UserRepository, sessions: Sessions, erasures: ErasureRepository, passwords: Passwords, credentials: CredentialCheck? = nil
    ) {
        self.users = users
        self.sessions = sessions
        self.erasures = erasures
        self.passwords = passwords
        self.credentials = credentials ?? CredentialCheck(passwords)
    }

    /// Opens an account and signs it in. Throws `UsersError.addressTaken`, `.passwordTooLong` or `.passwordsBusy`.
    func open(_ account: NewAccount) async throws -> (User, TokenPair) {
        let hash = try await hashing { () async throws(PasswordsError) in
            try await passwords.hash(account.password.text)
        }
        let id = UserID.make()
        let session = sessions.new(for: id)
        let user: User
        do {
            user = try await users.insert(id, account, passwordHash: hash, session: session)
        } catch let error as PostgresError where error.constraint == "users_email_key" {
            throw UsersError.addressTaken
        }
        return (user, try await sessions.tokens(of: session, role: user.role))
    }

    /// Signs in. Throws `UsersError.wrongCredentials`, after the same work whether the account exists or not;
    /// `.passwordTooLong` or `.passwordsBusy`.
    func signIn(_ email: EmailAddress, password: String) async throws -> (User, TokenPair) {
        let found = try await users.credentials(of: email)
        let isRight = try await hashing { () async throws(PasswordsError) in
            try await credentials.matches(password, found?.passwordHash)
        }
        guard let found, isRight else { throw UsersError.wrongCredentials }
        try await strengthenHash(of: found, password: password)
        let session = sessions.new(for: found.user.id)
        try await sessions.begin(session, of: found.user.id)
        return (found.user, try await sessions.tokens(of: session, role: found.user.role))
    }

    /// Closes an account at its owner's word. Throws `UsersError.wrongCredentials`, `.accountGone`, `.operatorsAccount`, `.passwordTooLong` or
    /// `.passwordsBusy`.
    func close(_ user: UserID, password: String) async throws -> Erasure {
        guard let hash = try await erasures.passwordHash(of: user) else { throw UsersError.accountGone }
        let isRight = try await hashing { () async throws(PasswordsError) in try await credentials.matches(password, hash) }
        guard isRight else { throw UsersError.wrongCredentials }
        return try await close(user, by: .user)
    }

    /// Closes an account. Throws `UsersError.accountGone` or `.operatorsAccount`.
    func close(_ user: UserID, by requester: Erasure.Requester) async throws -> Erasure {
        let erasure = try await erasures.close(user, by: requester, accessUntil: sessions.accessUntil)
        await sessions.blockAll(of: user)
        return erasure
    }

    /// A hash of older parameters is replaced while the password is at hand.
    private func strengthenHash(of account: UserRepository.Credentials, password: String) async throws {
        guard passwords.needsRehash(account.passwordHash) else { return }
        let hash = try await hashing { () async throws(PasswordsError) in try await passwords.hash(password) }
        try await users.replacePasswordHash(of: account.user.id, account.passwordHash, with: hash)
    }

    /// Does work with passwords, and says in this service's words what kept it from being done.
    private func hashing<Value: Sendable>(
        _ work: () async throws(PasswordsError) -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch {
            switch error.code {
            case .busy: throw UsersError.passwordsBusy
            case .cancelled: throw CancellationError()
            case .tooLong: throw UsersError.passwordTooLong
            case .malformedHash, .argon2: throw error
            }
        }
    }
}
