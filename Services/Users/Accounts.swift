internal import Application
internal import Passwords
internal import Postgres
internal import Tokens

/// Opens accounts, signs people in, and closes accounts.
struct Accounts: Sendable {
    let users: UserRepository
    let sessions: Sessions
    let profiles: Profiles
    let erasures: ErasureRepository
    let passwords: Passwords
    let credentials: CredentialCheck
    private let attempts: SignInAttempts

    init(
        users: UserRepository, sessions: Sessions, profiles: Profiles, erasures: ErasureRepository, passwords: Passwords,
        credentials: CredentialCheck? = nil
    ) {
        self.users = users
        self.sessions = sessions
        self.profiles = profiles
        self.erasures = erasures
        self.passwords = passwords
        self.credentials = credentials ?? CredentialCheck(passwords)
        attempts = SignInAttempts(postgres: users.postgres)
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

    /// Signs in. `about` is told whose account it is, where there is one, whether or not the password is right.
    ///
    /// Throws `UsersError.wrongCredentials`, after the same work whether the account exists or not, and `.tooManyPasswords` as for an
    /// address without one; `.passwordTooLong` or `.passwordsBusy`.
    func signIn(
        _ email: EmailAddress, password: String, about: @Sendable (UserID) -> Void = { _ in }
    ) async throws -> (User, TokenPair) {
        var found = try await check(password, of: email) {
            let found = try await users.credentials(of: email)
            if let found { about(found.user.id) }
            return found
        }
        let session = sessions.new(for: found.user.id)
        do {
            try await sessions.begin(session, of: found)
        } catch UsersError.wrongCredentials {
            // The account was closed, has another role, or its hash is another one by now: a stronger one of the same password, or that of another.
            found = try await check(password, of: email) { try await users.credentials(of: email) }
            try await sessions.begin(session, of: found)
        }
        try await strengthenHash(of: found, password: password)
        return (found.user, try await sessions.tokens(of: session, role: found.user.role))
    }

    /// Gives an account another password, at the word of somebody who is signed in and knows the old one, and ends its other sessions.
    ///
    /// Throws `UsersError.wrongCredentials`, `.tooManyPasswords`, `.accountGone`, `.operatorsPassword`, `.passwordTooLong` or `.passwordsBusy`.
    func changePassword(of caller: CallerIdentity, from current: String, to new: Password) async throws {
        let found = try await account(UserID(caller.userID), knownBy: current)
        guard found.user.role != .operator_ else { throw UsersError.operatorsPassword }
        let hash = try await hashing { () async throws(PasswordsError) in try await passwords.hash(new.text) }
        try await sessions.changePassword(of: found.user.id, found.passwordHash, to: hash, keeping: SessionID(caller.sessionID))
    }

    /// Closes an account at its owner's word. Throws `UsersError.wrongCredentials`, `.tooManyPasswords`, `.accountGone`, `.operatorsAccount`,
    /// `.passwordTooLong` or `.passwordsBusy`.
    func close(_ user: UserID, password: String) async throws -> Erasure {
        let found = try await account(user, knownBy: password)
        return try await close(found.user.id, by: .user)
    }

    /// The account of somebody who is signed in and shows its password.
    private func account(_ user: UserID, knownBy password: String) async throws -> UserRepository.Credentials {
        guard let account = try await users.credentials(of: user) else { throw UsersError.accountGone }
        return try await check(password, of: account.user.email) { account }
    }

    /// Looks up an account and checks its password, with the same steps whether there is one or not.
    private func check(
        _ password: String, of email: EmailAddress, _ find: () async throws -> UserRepository.Credentials?
    ) async throws -> UserRepository.Credentials {
        try await attempts.begin(for: email)
        let found = try await find()
        let isRight = try await hashing { () async throws(PasswordsError) in
            try await credentials.matches(password, found?.passwordHash)
        }
        guard let found, isRight else {
            try await attempts.forgetSome()
            throw UsersError.wrongCredentials
        }
        try await attempts.forget(email)
        return found
    }

    /// Closes an account. Throws `UsersError.accountGone` or `.operatorsAccount`.
    func close(_ user: UserID, by requester: Erasure.Requester) async throws -> Erasure {
        let until = sessions.accessUntil
        let erasure = try await sessions.onRecord { try await erasures.close(user, by: requester, accessUntil: until) }
        try await sessions.blockAll(of: user)
        return erasure
    }

    /// A hash of older parameters is replaced while the password is at hand.
    private func strengthenHash(of account: UserRepository.Credentials, password: String) async throws {
        guard passwords.needsRehash(account.passwordHash) else { return }
        let hash = try await hashing { () async throws(PasswordsError) in try await passwords.hash(password) }
        try await profiles.changing(account.user.id) {
            try await users.replacePasswordHash(of: account.user.id, account.passwordHash, with: hash)
        }
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
