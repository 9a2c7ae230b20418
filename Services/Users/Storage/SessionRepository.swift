internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time
internal import Tokens

/// A session that is about to begin, with its first refresh token.
struct NewSession: Sendable {
    let id: SessionID
    let token: RefreshToken
    let tokenExpiresAt: Instant
}

/// Sessions and their refresh tokens. A session is a family: its tokens live and die with it.
struct SessionRepository: Sendable {
    let postgres: Postgres

    /// Begins a session, and forgets the account's refresh tokens that have expired and the sessions that have none besides. `false` if the account is
    /// not there any more, is closed, or has another password's hash or another role.
    func insert(
        _ session: NewSession, of user: UserID, whosePasswordIs hash: String, role: AccessClaims.Role
    ) async throws(PostgresError) -> Bool {
        try await postgres.execute(.insert(session, of: user, whosePasswordIs: hash, role: role), identity: .user(user.uuid)) == 1
    }

    /// Forgets refresh tokens that expired before a moment, so many in a transaction, and the sessions of which none is left, whoever's they are.
    /// How many tokens it was.
    @discardableResult
    func forget(expiredBefore moment: Instant, atOnce most: Int = 1_000) async throws(PostgresError) -> Int64 {
        var count: Int64 = 0
        while true {
            let forgotten = try await postgres.first(.forgetRefreshTokens(expiredBefore: moment, atMost: most))?.value ?? 0
            count += forgotten
            if forgotten < most { return count }
        }
    }

    /// What became of a refresh token that was shown.
    enum Rotation: Sendable {
        /// It was good, is used up now, and the next one is stored.
        case rotated(SessionID, AccessClaims.Role)
        /// It had been used before, by its owner or by a thief: its session has ended.
        case reused(SessionID)
        /// It was never given out, has expired, or its session has ended.
        case refused
    }

    /// A refresh token as it stands, with its session and its account.
    struct StoredToken: RowDecodable {
        let sessionID: SessionID
        let isUsed: Bool
        let isExpired: Bool
        let isSessionEnded: Bool
        let role: AccessClaims.Role

        init(row: Row) throws(PostgresError) {
            sessionID = SessionID(try row.decode("session_id"))
            isUsed = try row.decode("is_used")
            isExpired = try row.decode("is_expired")
            isSessionEnded = try row.decode("is_session_ended")
            role = try .stored(row)
        }
    }

    /// Uses a refresh token up and stores the next one of its session, or ends the session if it was used before.
    ///
    /// The row locks make two uses of one token happen one after the other, so the second always finds the first.
    ///
    /// - Parameter accessUntil: when the last access token of a session that ends has expired.
    func rotate(
        _ shown: RefreshToken, to next: RefreshToken, expiresAt: Instant, accessUntil: Instant
    ) async throws -> Rotation {
        let user = shown.userID
        return try await postgres.transaction(identity: .user(user)) { transaction in
            let stored = try await transaction.first(.lock(shown))
            guard let stored else { return .refused }
            if stored.isUsed {
                try await transaction.execute(
                    .end(stored.sessionID, of: UserID(user), because: .refreshReuse, accessUntil: accessUntil))
                try await Notifications(postgres: postgres).add(
                    .refreshTokenReused(in: stored.sessionID), to: UserID(user), in: transaction)
                return .reused(stored.sessionID)
            }
            guard !stored.isSessionEnded, !stored.isExpired else { return .refused }
            try await transaction.execute(.replace(shown, with: next, of: stored.sessionID, expiresAt: expiresAt))
            return .rotated(stored.sessionID, stored.role)
        }
    }

    /// Ends a session, and with it every refresh token that followed from it; its access tokens are on record as revoked. Ending it
    /// again changes nothing.
    func end(_ session: SessionID, of user: UserID, accessUntil: Instant) async throws {
        try await postgres.execute(
            .end(session, of: user, because: .logOut, accessUntil: accessUntil), identity: .user(user.uuid))
    }

    /// Ends every session of an account, as `end` does one. Returns the youngest session that it may have had; those that begin
    /// later are not meant. One that is beginning just now is waited for, and ends too.
    func endAll(of user: UserID, accessUntil: Instant) async throws -> SessionID {
        let (_, youngest) = try await postgres.batch(
            .lockAccount(user), .endAll(of: user, upTo: .make(), accessUntil: accessUntil), identity: .user(user.uuid))
        guard let youngest = try youngest.first() else { throw PostgresError(.decoding, "The record of the sessions' end gave no row.") }
        return SessionID(youngest.value)
    }

    /// Replaces a password's hash and ends every session but one: those that begin with the old one wait for the account's row and are refused.
    /// Returns the sessions that ended.
    ///
    /// Throws `UsersError.wrongCredentials` if the account has another hash.
    func changePassword(
        of user: UserID, _ old: String, to new: String, keeping session: SessionID, accessUntil: Instant
    ) async throws -> [SessionID] {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard try await transaction.execute(.replacePasswordHash(of: user, old, with: new)) == 1 else {
                throw UsersError.wrongCredentials
            }
            let ended = try await transaction.rows(.endOthers(than: session, of: user, accessUntil: accessUntil))
            try await Notifications(postgres: postgres).add(.passwordChanged(), to: user, in: transaction)
            return ended.map { SessionID($0.value) }
        }
    }

    /// Replaces a password's hash and ends every session; those that begin with the old one wait and are refused, as when somebody changes their
    /// own. Returns the youngest session that is meant; `nil`, and nothing has changed, if the account has another hash.
    func replacePassword(of user: UserID, _ old: String, with new: String, accessUntil: Instant) async throws -> SessionID? {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard try await transaction.execute(.replacePasswordHash(of: user, old, with: new)) == 1 else { return nil }
            let youngest = try await transaction.first(.endAll(of: user, upTo: .make(), accessUntil: accessUntil))
            guard let youngest else { throw PostgresError(.decoding, "The record of the sessions' end gave no row.") }
            return SessionID(youngest.value)
        }
    }

    /// Gives an account another role, ends every session of it, and what patients have let it into: that was for what it is no more. Those who
    /// sign in meanwhile wait for the account's row and are told to do it again. Returns the youngest session that is meant; `nil` if the
    /// account has the role already.
    ///
    /// Throws `UsersError.accountGone` or `.operatorsRole`.
    func assign(_ role: AccessClaims.Role, to user: UserID, accessUntil: Instant) async throws -> SessionID? {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard let account = try await transaction.first(.closing(user)), account.erasure == nil else { throw UsersError.accountGone }
            guard account.role != .operator_ else { throw UsersError.operatorsRole }
            guard account.role != role else { return nil }
            try await transaction.execute(.assign(role, to: user))
            try await transaction.execute(.endGrants(to: user))
            let youngest = try await transaction.first(.endAll(of: user, upTo: .make(), accessUntil: accessUntil))
            guard let youngest else { throw PostgresError(.decoding, "The record of the sessions' end gave no row.") }
            return SessionID(youngest.value)
        }
    }

    /// Why a session ended.
    enum EndReason: String, Sendable, PostgresEncodable {
        case logOut = "log_out"
        case refreshReuse = "refresh_reuse"
    }
}

extension Statement<SessionRepository.StoredToken> {
    /// Locks the token and its session; before them the account, as far as a notification to it does, since who closes it begins there too.
    static func lock(_ token: RefreshToken) -> Self {
        .writing(
            """
            SELECT t.session_id, t.used_at IS NOT NULL AS is_used, t.expires_at <= clock_timestamp() AS is_expired,
                   s.ended_at IS NOT NULL AS is_session_ended, u.role, u.clinician_since
            FROM users.refresh_tokens t
            JOIN users.sessions s ON s.user_id = t.user_id AND s.id = t.session_id
            JOIN users.users u ON u.id = t.user_id
            WHERE t.user_id = \(token.userID) AND t.digest = \(token.digest)
            FOR KEY SHARE OF u FOR UPDATE OF t, s
            """)
    }
}

extension Statement<Void> {
    /// Waits for whoever is closing the account or changing its password or its role, and does nothing then; and for whoever ends all its sessions.
    ///
    /// A token that expired within the last minute stays: who showed it in time may be getting the next one just now, which this does not see.
    static func insert(_ session: NewSession, of user: UserID, whosePasswordIs hash: String, role: AccessClaims.Role) -> Self {
        .writing(
            """
            WITH account AS (
                SELECT id FROM users.users
                WHERE id = \(user.uuid) AND erasure_id IS NULL AND password_hash = \(hash)
                  AND (clinician_since IS NOT NULL) = \(role == .clinician) FOR SHARE
            ), forgotten AS (
                DELETE FROM users.refresh_tokens WHERE user_id = \(user.uuid) AND expires_at < clock_timestamp() - interval '1 minute'
                RETURNING session_id
            ), over AS (
                DELETE FROM users.sessions s WHERE s.user_id = \(user.uuid) AND s.id IN (SELECT session_id FROM forgotten)
                  AND NOT EXISTS (SELECT FROM users.refresh_tokens t
                                  WHERE t.user_id = s.user_id AND t.session_id = s.id
                                    AND t.expires_at >= clock_timestamp() - interval '1 minute')
            ), session AS (
                INSERT INTO users.sessions (user_id, id) SELECT id, \(session.id.uuid) FROM account
            )
            INSERT INTO users.refresh_tokens (user_id, digest, session_id, expires_at)
            SELECT id, \(session.token.digest), \(session.id.uuid), \(session.tokenExpiresAt) FROM account
            """)
    }

    /// Uses a token up and stores the next one.
    static func replace(
        _ used: RefreshToken, with next: RefreshToken, of session: SessionID, expiresAt: Instant
    ) -> Self {
        .writing(
            """
            WITH used AS (
                UPDATE users.refresh_tokens SET used_at = clock_timestamp()
                WHERE user_id = \(used.userID) AND digest = \(used.digest)
            )
            INSERT INTO users.refresh_tokens (user_id, digest, session_id, expires_at)
            VALUES (\(used.userID), \(next.digest), \(session.uuid), \(expiresAt))
            """)
    }

    static func assign(_ role: AccessClaims.Role, to user: UserID) -> Self {
        .writing(
            "UPDATE users.users SET clinician_since = CASE WHEN \(role == .clinician) THEN clock_timestamp() END WHERE id = \(user.uuid)")
    }

    static func end(
        _ session: SessionID, of user: UserID, because reason: SessionRepository.EndReason, accessUntil: Instant
    ) -> Self {
        .writing(
            """
            WITH ended AS (
                UPDATE users.sessions SET ended_at = clock_timestamp(), end_reason = \(reason)
                WHERE user_id = \(user.uuid) AND id = \(session.uuid) AND ended_at IS NULL
            )
            INSERT INTO heartguard.revocations AS known (id, expires_at) VALUES (\(session.uuid), \(accessUntil))
            ON CONFLICT (id) DO UPDATE SET expires_at = greatest(known.expires_at, excluded.expires_at)
            """)
    }
}

extension Statement<Scalar<UUID>> {
    /// The clocks of two replicas may differ: a session that there is already is meant even if its id is ahead of ours.
    static func endAll(of user: UserID, upTo session: SessionID, accessUntil: Instant) -> Self {
        .writing(
            """
            WITH ended AS (
                UPDATE users.sessions SET ended_at = clock_timestamp(), end_reason = \(SessionRepository.EndReason.logOut)
                WHERE user_id = \(user.uuid) AND ended_at IS NULL
            ), youngest AS (
                SELECT id FROM users.sessions WHERE user_id = \(user.uuid) ORDER BY id DESC LIMIT 1
            )
            INSERT INTO heartguard.revocations AS known (id, up_to, expires_at)
            SELECT \(user.uuid), greatest(\(session.uuid), (SELECT id FROM youngest)), \(accessUntil)
            ON CONFLICT (id) DO UPDATE
            SET up_to = greatest(known.up_to, excluded.up_to), expires_at = greatest(known.expires_at, excluded.expires_at)
            RETURNING up_to
            """)
    }

    static func endOthers(than session: SessionID, of user: UserID, accessUntil: Instant) -> Self {
        .writing(
            """
            WITH ended AS (
                UPDATE users.sessions
                SET ended_at = clock_timestamp(), end_reason = \(SessionRepository.EndReason.logOut)
                WHERE user_id = \(user.uuid) AND id <> \(session.uuid) AND ended_at IS NULL
                RETURNING id
            )
            INSERT INTO heartguard.revocations AS known (id, expires_at) SELECT id, \(accessUntil) FROM ended
            ON CONFLICT (id) DO UPDATE SET expires_at = greatest(known.expires_at, excluded.expires_at)
            RETURNING id
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func forgetRefreshTokens(expiredBefore moment: Instant, atMost most: Int) -> Self {
        .writing("SELECT users.forget_refresh_tokens(\(moment), \(Int32(most))) AS forgotten", tier: .normal)
    }
}
