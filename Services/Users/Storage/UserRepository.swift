internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time
internal import Tokens

/// The accounts in `users.users`. Each method is one statement or one transaction, under the account's own identity.
struct UserRepository: Sendable {
    let postgres: Postgres

    /// Opens an account together with its first session, all or nothing, in one round trip.
    ///
    /// Throws `.uniqueViolation` of `users_email_key` when the address has an account.
    func insert(
        _ id: UserID, _ account: NewAccount, passwordHash: String, session: NewSession
    ) async throws -> User {
        let user = try await postgres.first(
            .insert(id, account, passwordHash: passwordHash, session: session), identity: .user(id.uuid))
        guard let user else { throw PostgresError(.decoding, "An inserted account was not returned.") }
        return user
    }

    /// An account and what its password is checked against.
    struct Credentials: RowDecodable {
        let user: User
        let passwordHash: String

        init(row: Row) throws(PostgresError) {
            user = try User(row: row)
            passwordHash = try row.decode("password_hash")
        }
    }

    /// The account of an address, for signing in: the one statement that nobody's identity is needed for. The policy
    /// `log_in` shows exactly the row whose address the transaction names.
    func credentials(of email: EmailAddress) async throws -> Credentials? {
        try await postgres.first(.credentials(of: email), identity: .login(email: email.text))
    }

    /// An account and its hash, for somebody who is signed in. `nil` if it is not there any more, or closed.
    func credentials(of id: UserID) async throws -> Credentials? {
        try await postgres.first(.credentials(of: id), identity: .user(id.uuid))
    }

    func find(_ id: UserID) async throws -> User? {
        try await postgres.first(.find(id), identity: .user(id.uuid))
    }

    /// Replaces a hash, unless it was replaced since `old` was read.
    func replacePasswordHash(of id: UserID, _ old: String, with new: String) async throws {
        try await postgres.execute(.replacePasswordHash(of: id, old, with: new), identity: .user(id.uuid))
    }

    /// Changes a profile and counts its version up; a change that changes nothing leaves the row alone.
    ///
    /// Throws `UsersError.accountGone`, or `.profileChanged` when `expectedVersion` is not the row's.
    func update(_ id: UserID, _ change: ProfileChange, expectedVersion: Int64?) async throws -> User {
        try await postgres.transaction(identity: .user(id.uuid)) { transaction in
            let current = try await transaction.first(.lock(id))
            guard let current else { throw UsersError.accountGone }
            if let expectedVersion, expectedVersion != current.version { throw UsersError.profileChanged }
            let profile = change.applied(to: current.profile)
            guard profile != current.profile else { return current }
            let changed = try await transaction.first(.update(id, to: profile))
            guard let changed else { throw UsersError.accountGone }
            return changed
        }
    }

    /// Opens the operator's account unless the address has one. Answers whether it did.
    func insertOperator(email: EmailAddress, name: PersonName, passwordHash: String) async throws -> Bool {
        let id = UserID.make()
        return try await postgres.execute(
            .insertOperator(id, email: email, name: name, passwordHash: passwordHash), identity: .user(id.uuid)) == 1
    }

    /// Operators whose address is another one, the oldest first; a hundred at most.
    func operators(besides email: EmailAddress) async throws(PostgresError) -> [UserID] {
        try await postgres.rows(.operators(besides: email)).map { UserID($0.value) }
    }
}

extension Statement<User> {
    /// The account with its first session.
    static func insert(_ id: UserID, _ account: NewAccount, passwordHash: String, session: NewSession) -> Self {
        let profile = account.profile
        return .writing(
            """
            WITH account AS (
                INSERT INTO users.users (id, email, password_hash, name, phone, birth_date, sex, time_zone)
                VALUES (\(id.uuid), \(account.email.text), \(passwordHash), \(profile.name.text),
                        \(profile.phone?.text), \(profile.birthDate?.date), \(profile.sex.column), \(profile.timeZone.text))
                RETURNING \(User.columns)
            ), session AS (
                INSERT INTO users.sessions (user_id, id) VALUES (\(id.uuid), \(session.id.uuid))
            ), token AS (
                INSERT INTO users.refresh_tokens (user_id, digest, session_id, expires_at)
                VALUES (\(id.uuid), \(session.token.digest), \(session.id.uuid), \(session.tokenExpiresAt))
            )
            SELECT \(User.columns) FROM account
            """)
    }

    static func find(_ id: UserID) -> Self {
        .reading("SELECT \(User.columns) FROM users.users WHERE id = \(id.uuid)")
    }

    static func lock(_ id: UserID) -> Self {
        .writing("SELECT \(User.columns) FROM users.users WHERE id = \(id.uuid) FOR UPDATE")
    }

    static func update(_ id: UserID, to profile: Profile) -> Self {
        .writing(
            """
            UPDATE users.users
            SET name = \(profile.name.text), phone = \(profile.phone?.text), avatar_url = \(profile.avatarURL?.text),
                birth_date = \(profile.birthDate?.date), sex = \(profile.sex.column),
                time_zone = \(profile.timeZone.text), version = version + 1
            WHERE id = \(id.uuid)
            RETURNING \(User.columns)
            """)
    }
}

extension Statement<UserRepository.Credentials> {
    static func credentials(of email: EmailAddress) -> Self {
        .reading("SELECT \(User.columns), password_hash FROM users.users WHERE email = \(email.text)")
    }

    static func credentials(of id: UserID) -> Self {
        .reading("SELECT \(User.columns), password_hash FROM users.users WHERE id = \(id.uuid) AND erasure_id IS NULL")
    }
}

extension Statement<Void> {
    static func replacePasswordHash(of id: UserID, _ old: String, with new: String) -> Self {
        .writing("UPDATE users.users SET password_hash = \(new) WHERE id = \(id.uuid) AND password_hash = \(old)")
    }

    static func insertOperator(_ id: UserID, email: EmailAddress, name: PersonName, passwordHash: String) -> Self {
        .writing(
            """
            INSERT INTO users.users (id, email, password_hash, name, role)
            VALUES (\(id.uuid), \(email.text), \(passwordHash), \(name.text), \(AccessClaims.Role.operator_))
            ON CONFLICT (email) DO NOTHING
            """)
    }
}

extension Statement<Scalar<UUID>> {
    static func operators(besides email: EmailAddress) -> Self {
        .reading("SELECT user_id FROM users.other_operators(\(email.text))", tier: .normal)
    }
}
