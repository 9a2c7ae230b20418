internal import Application
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Redis
internal import Resilience
internal import Time
internal import Tokens

/// Sessions and the tokens that they are made of.
struct Sessions: Sendable {
    let repository: SessionRepository
    let signer: TokenSigner
    let blocklist: TokenBlocklist
    let keeper: BlocklistKeeper
    let lifetimes: TokenLifetimes

    init(
        repository: SessionRepository, signer: TokenSigner, blocklist: TokenBlocklist, keeper: BlocklistKeeper,
        lifetimes: TokenLifetimes = TokenLifetimes()
    ) {
        self.repository = repository
        self.signer = signer
        self.blocklist = blocklist
        self.keeper = keeper
        self.lifetimes = lifetimes
    }

    /// A session with its first refresh token, not yet stored.
    func new(for user: UserID) -> NewSession {
        NewSession(id: .make(), token: RefreshToken(userID: user.uuid), tokenExpiresAt: .now() + lifetimes.refresh)
    }

    /// Throws `UsersError.wrongCredentials` if the account was closed meanwhile, or has another hash or role.
    func begin(_ session: NewSession, of account: UserRepository.Credentials) async throws {
        let user = account.user
        guard try await repository.insert(session, of: user.id, whosePasswordIs: account.passwordHash, role: user.role) else {
            throw UsersError.wrongCredentials
        }
    }

    /// The first pair of a session that has been stored.
    func tokens(of session: NewSession, role: AccessClaims.Role) async throws -> TokenPair {
        try await pair(session.id, role, session.token, expiresAt: session.tokenExpiresAt)
    }

    /// Trades a refresh token for the next pair.
    ///
    /// Throws `UsersError.refreshTokenRefused`, or `.refreshTokenReused` after it has ended the session: its refresh
    /// tokens are dead and its access tokens blocked. Throws UNAVAILABLE when they could not be blocked; whoever shows
    /// the token again has that done again.
    ///
    /// `about` is told whose token it is, once it is known to have been given out.
    func refresh(_ shown: String, about: (UUID) -> Void = { _ in }) async throws -> TokenPair {
        guard let token = try? RefreshToken(parsing: shown) else {
            // What cannot be read was never given out.
            throw UsersError.refreshTokenRefused
        }
        let next = RefreshToken(userID: token.userID)
        let expiresAt = Instant.now() + lifetimes.refresh
        let until = accessUntil
        let rotation = try await onRecord { try await repository.rotate(token, to: next, expiresAt: expiresAt, accessUntil: until) }
        switch rotation {
        case .rotated(let session, let role):
            about(token.userID)
            return try await pair(session, role, next, expiresAt: expiresAt)
        case .reused(let session):
            about(token.userID)
            try await block([.session(session.uuid, expiresAt: accessUntil)])
            throw UsersError.refreshTokenReused
        case .refused: throw UsersError.refreshTokenRefused
        }
    }

    /// Ends the caller's session: first in Postgres, so that no refresh can follow, then on the blocklist.
    ///
    /// Throws UNAVAILABLE when the blocklist could not be reached: the access token may still be good then where Redis can be
    /// reached. The caller may try again, for what was done already changes nothing; `BlocklistKeeper` tries too.
    func end(_ caller: CallerIdentity) async throws {
        let until = accessUntil
        try await onRecord { try await repository.end(SessionID(caller.sessionID), of: UserID(caller.userID), accessUntil: until) }
        try await block([.session(caller.sessionID, expiresAt: until)])
    }

    /// Ends every session of the caller's account, this one too. Throws as `end` does.
    func endAll(_ caller: CallerIdentity) async throws {
        let until = accessUntil
        let youngest = try await onRecord { try await repository.endAll(of: UserID(caller.userID), accessUntil: until) }
        try await block([.sessions(of: caller.userID, upTo: youngest.uuid, expiresAt: until)])
    }

    /// Replaces the hash of a password, ends every session but one, and tells the person. Throws `UsersError.wrongCredentials` if the hash was
    /// replaced meanwhile.
    ///
    /// The change is on record when this returns; where Redis cannot be reached, `BlocklistKeeper` has the other sessions' tokens refused as
    /// soon as it can be.
    func changePassword(of user: UserID, _ old: String, to new: String, keeping session: SessionID) async throws {
        let until = accessUntil
        let ended = try await onRecord {
            try await repository.changePassword(of: user, old, to: new, keeping: session, accessUntil: until)
        }
        try await blockIfPossible(ended.map { .session($0.uuid, expiresAt: until) })
    }

    /// Replaces the hash of a password at nobody's word who is signed in, and ends every session. Whether it did; not if the hash was replaced meanwhile.
    ///
    /// The change is on record when this returns, as that of one's own password is.
    func replacePassword(of user: UserID, _ old: String, with new: String) async throws -> Bool {
        let until = accessUntil
        let youngest = try await onRecord { try await repository.replacePassword(of: user, old, with: new, accessUntil: until) }
        guard let youngest else { return false }
        try await blockIfPossible([.sessions(of: user.uuid, upTo: youngest.uuid, expiresAt: until)])
        return true
    }

    /// Gives an account another role, and ends every session that it has: their tokens say what it was. The same role again changes nothing.
    ///
    /// The change is on record when this returns, as that of a password is. Throws `UsersError.accountGone` or `.operatorsRole`.
    func assign(_ role: AccessClaims.Role, to user: UserID) async throws {
        let until = accessUntil
        let youngest = try await onRecord { try await repository.assign(role, to: user, accessUntil: until) }
        guard let youngest else { return }
        try await blockIfPossible([.sessions(of: user.uuid, upTo: youngest.uuid, expiresAt: until)])
    }

    /// Has every access token of an account refused that is closed, which is on record already. Where Redis cannot be reached, `BlocklistKeeper`
    /// does it as soon as it can be; the account's sessions have ended either way.
    func blockAll(of user: UserID) async throws {
        try await blockIfPossible([.sessions(of: user.uuid, upTo: SessionID.last.uuid, expiresAt: accessUntil)])
    }

    /// No access token that there is now outlives this.
    var accessUntil: Instant { .now() + lifetimes.access }

    /// Makes a change that puts revocations on record. Where nobody knows whether it was made, the keeper looks.
    func onRecord<Value>(_ change: () async throws -> Value) async throws -> Value {
        do { return try await change() } catch {
            if (error as? PostgresError)?.code == .outcomeUnknown { keeper.owes() }
            throw error
        }
    }

    /// Tells the blocklist what is on record.
    private func block(_ revocations: [Revocation]) async throws {
        try await CurrentTask.afterCommit { [blocklist, keeper] in
            do {
                try await blocklist.revoke(revocations)
            } catch {
                keeper.owes()
                throw Self.untold(error)
            }
        } inDoubt: { [keeper] in
            keeper.owes()
        }
    }

    /// What is to be told is on record, whatever has become of the telling: asking for it again does no harm.
    private static func untold(_ error: any Error) -> any Error {
        guard let error = error as? RedisError, error.code != .cancelled else { return error }
        var answer = RPCError.unavailable("The session has ended, and not every program could be told. Try again.", cause: error)
        // A client that did so by itself would hide this behind what whoever shows the token of an ended session is told (gRFC A6, "Pushback").
        answer.trailers[Pushback.name] = "-1"
        return answer
    }

    /// The same where nobody waits for it: what cannot be told the keeper owes.
    private func blockIfPossible(_ revocations: [Revocation]) async throws {
        try await CurrentTask.afterCommit { [blocklist, keeper] in
            do { try await blocklist.revoke(revocations) } catch { keeper.owes() }
        } inDoubt: { [keeper] in
            keeper.owes()
        }
    }

    private func pair(
        _ session: SessionID, _ role: AccessClaims.Role, _ refresh: RefreshToken, expiresAt: Instant
    ) async throws -> TokenPair {
        let claims = AccessClaims(
            subject: refresh.userID, role: role, expiresAt: .now() + lifetimes.access, sessionID: session.uuid)
        return TokenPair(
            accessToken: try await signer.sign(claims), accessTokenExpiresAt: claims.expiresAt,
            refreshToken: refresh.text, refreshTokenExpiresAt: expiresAt)
    }
}
