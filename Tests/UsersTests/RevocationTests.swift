internal import Application
internal import Contracts
internal import Foundation
internal import Logging
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Redis
internal import Resilience
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `Who logs out everywhere` {
    @Test func `has the tokens of every session refused, and none of a later one`() async throws {
        try await withUsers { users in
            let ada = Person()
            let (phone, watch) = (try await users.register(ada), try await users.signIn(ada))

            _ = try await users.service.logOutEverywhere(.init(), context: users.context(watch))
            let later = try await users.signIn(ada)

            for tokens in [phone, watch] {
                #expect(try await users.standing(users.claims(tokens)) == .revoked)
                await expect(.unauthenticated) { try await users.refresh(tokens) }
            }
            #expect(try await users.standing(users.claims(later)) != .revoked)
            _ = try await users.refresh(later)
        }
    }

    @Test func `ends a session too that is about to begin`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())
            let context = try await users.context(tokens)
            let user = UserID(try context.caller().userID)
            let account = try #require(try await UserRepository(postgres: users.postgres).credentials(of: user))
            let token = RefreshToken(userID: user.uuid)
            let session = NewSession(id: .make(), token: token, tokenExpiresAt: .now() + .seconds(60))
            let end = Ending()

            let leaving = try await users.postgres.transaction(identity: .user(user.uuid)) { transaction in
                try await transaction.execute(.insert(session, of: user, whosePasswordIs: account.passwordHash, role: .user))
                let task = Task {
                    defer { end.hasCome.store(true, ordering: .releasing) }
                    _ = try await users.service.logOutEverywhere(.init(), context: context)
                }
                try await until {
                    let waiting = try await transaction.first(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))", as: Scalar<Int64>.self)
                    return (waiting?.value ?? 0) > 0 || end.hasCome.load(ordering: .acquiring)
                }
                return task
            }
            try await leaving.value

            let refused = await refusal { try await users.service.sessions.refresh(token.text) }
            #expect(refused?.code == .unauthenticated)
        }
    }

    @Test func `leaves everybody else alone`() async throws {
        try await withUsers { users in
            let (ada, bob) = (try await users.register(Person()), try await users.register(Person()))

            _ = try await users.service.logOutEverywhere(.init(), context: users.context(ada))

            #expect(try await users.standing(users.claims(bob)) != .revoked)
            _ = try await users.refresh(bob)
        }
    }

    @Test func `means sessions that another replica began, whose clock is ahead`() async throws {
        try await withUsers { users in
            let claims = try await users.claims(users.register(Person()))
            var id = UUIDv7.make().uuid
            id.1 += 1
            let ahead = SessionID(UUID(uuid: id))
            let repository = SessionRepository(postgres: users.postgres)
            let token = RefreshToken(userID: claims.subject)
            let account = try #require(try await UserRepository(postgres: users.postgres).credentials(of: UserID(claims.subject)))
            _ = try await repository.insert(
                NewSession(id: ahead, token: token, tokenExpiresAt: .now() + .seconds(60)), of: account.user.id,
                whosePasswordIs: account.passwordHash, role: account.user.role)

            let youngest = try await repository.endAll(of: UserID(claims.subject), accessUntil: .now() + .seconds(60))

            #expect(youngest == ahead)
        }
    }
}

@Suite struct `Whether a session stands` {
    /// Lends the service with a Redis of its own that keeps nothing on disk, and what another service asks.
    private func withCheck(_ body: (UsersStand, SessionCheck, RedisServer) async throws -> Void) async throws {
        try await RedisServer.with { redis in
            try await withUsers(redis: redis, isFilled: false) { users in
                try await body(users, SessionCheck(blocklist: users.blocklist, postgres: users.postgres), redis)
            }
        }
    }

    @Test func `is answered from the record until the blocklist has been filled, and then by that`() async throws {
        try await withCheck { users, check, _ in
            let (left, stays) = (try await users.register(Person()), try await users.register(Person()))
            let (gone, here) = (try await users.claims(left), try await users.claims(stays))
            _ = try await users.service.logOut(.init(), context: users.context(left))

            #expect(try await users.standing(here) == .unknown)
            #expect(try await check.standing(of: here) == .standing)
            #expect(try await check.standing(of: gone) == .revoked)
            try await users.keeper.keep()

            #expect(try await users.standing(here) == .standing)
            #expect(try await users.standing(gone) == .revoked)
            #expect(try await check.standing(of: here) == .standing)
            #expect(try await check.standing(of: gone) == .revoked)
        }
    }

    @Test func `is answered from the record while Redis is gone, and when it has come back with nothing`() async throws {
        try await withCheck { users, check, redis in
            let (left, stays) = (try await users.register(Person()), try await users.register(Person()))
            let (gone, here) = (try await users.claims(left), try await users.claims(stays))
            _ = try await users.service.logOut(.init(), context: users.context(left))
            try await users.keeper.keep()

            try await redis.kill()
            for _ in 0..<20 {
                #expect(try await check.standing(of: gone) == .revoked)
                #expect(try await check.standing(of: here) == .standing)
            }
            try await redis.launch()
            for _ in 0..<20 { #expect(try await check.standing(of: gone) == .revoked) }
            try await untilKept(users.keeper)

            #expect(try await users.standing(gone) == .revoked)
            #expect(try await users.standing(here) == .standing)
        }
    }

    @Test func `is answered by the blocklist also where nobody knows whether the session's end was committed`() async throws {
        try await withCheck { users, _, _ in
            let left = try await users.register(Person())
            try await users.keeper.keep()
            let unit = LostUnit()
            try await CurrentTask.$unit.withValue(unit) {
                _ = try await users.service.logOut(.init(), context: users.context(left))
            }

            try await unit.end()
            try await users.keeper.keep()

            #expect(try await users.standing(users.claims(left)) == .revoked)
        }
    }

    @Test func `is answered from the record while Redis says nothing`() async throws {
        try await withCheck { users, check, redis in
            let left = try await users.register(Person())
            let gone = try await users.claims(left)
            _ = try await users.service.logOut(.init(), context: users.context(left))
            try await users.keeper.keep()

            try await redis.suspend()
            let standings = try await withThrowingTaskGroup { group in
                for _ in 0..<50 { group.addTask { try await check.standing(of: gone) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            try await redis.resume()

            #expect(standings == [.revoked])
        }
    }

    @Test func `is known of a log-out that Redis could not be told, and Redis is told later`() async throws {
        try await withCheck { users, check, redis in
            let tokens = try await users.register(Person())
            let claims = try await users.claims(tokens)
            try await users.keeper.keep()
            try await redis.kill()

            await expect(.unavailable) { _ = try await users.service.logOut(.init(), context: users.context(tokens)) }
            #expect(try await check.standing(of: claims) == .revoked)
            try await redis.launch()
            try await untilKept(users.keeper)

            #expect(try await users.standing(claims) == .revoked)
        }
    }

    /// Its server is there and says nothing: the caller is not left with a deadline that has passed.
    @Test func `is known of a log-out that Redis did not answer, which is UNAVAILABLE too`() async throws {
        try await withCheck { users, check, redis in
            let (one, other) = (try await users.register(Person()), try await users.register(Person()))
            let claims = [try await users.claims(one), try await users.claims(other)]
            try await users.keeper.keep()
            try await redis.suspend()

            await expect(.unavailable) { _ = try await users.service.logOut(.init(), context: users.context(one)) }
            await expect(.unavailable) { _ = try await users.service.logOutEverywhere(.init(), context: users.context(other)) }
            for claims in claims { #expect(try await check.standing(of: claims) == .revoked) }
            try await redis.resume()
        }
    }

    /// The connection goes while the word is under way.
    @Test func `is known of a log-out that was under way when Redis died, which is UNAVAILABLE too`() async throws {
        try await withCheck { users, check, redis in
            let tokens = try await users.register(Person())
            let claims = try await users.claims(tokens)
            try await users.keeper.keep()
            try await redis.suspend()
            let context = try await users.context(tokens)
            let before = users.durable.inFlight

            async let leaving: Void = expect(.unavailable) { _ = try await users.service.logOut(.init(), context: context) }
            try await until { users.durable.inFlight > before }
            try await redis.kill()
            await leaving

            #expect(try await check.standing(of: claims) == .revoked)
        }
    }

    @Test func `is not guessed by a program that keeps no record`() async throws {
        try await withCheck { users, _, redis in
            let claims = try await users.claims(users.register(Person()))
            let check = SessionCheck(blocklist: users.blocklist, postgres: nil)
            try await redis.kill()

            #expect(try await check.standing(of: claims) == .unknown)
        }
    }

    @Test func `is known for as long as a token is accepted that has expired`() async throws {
        try await withCheck { users, check, _ in
            let earlier = try await users.claims(users.register(Person()))
            let claims = try await users.claims(users.register(Person()))
            // A token is accepted for thirty seconds behind its end.
            try await SessionRepository(postgres: users.postgres).end(
                SessionID(claims.sessionID), of: UserID(claims.subject), accessUntil: .now() - .seconds(29))

            #expect(try await check.standing(of: claims) == .revoked)
            let listed = try await RevocationRepository(postgres: users.postgres).current(after: earlier.sessionID, limit: 10_000).map(\.id)
            #expect(listed.contains(claims.sessionID))
            try await users.keeper.keep()
            #expect(try await users.standing(claims) == .revoked)
        }
    }

    @Test func `is forgotten when no token can be meant any more`() async throws {
        try await withUsers { users in
            let claims = try await users.claims(users.register(Person()))
            let (user, repository) = (UserID(claims.subject), SessionRepository(postgres: users.postgres))
            let record = RevocationRepository(postgres: users.postgres)
            try await repository.end(SessionID(claims.sessionID), of: user, accessUntil: .now() - .seconds(3_601))
            let other = try await users.claims(users.register(Person()))
            try await repository.end(SessionID(other.sessionID), of: UserID(other.subject), accessUntil: .now() + .seconds(60))

            #expect(try await record.forgetExpired() >= 1)
            let kept = try await record.current(after: SessionID(claims.sessionID).uuid, limit: 1_000).map(\.id)

            #expect(kept.contains(other.sessionID) && !kept.contains(claims.sessionID))
        }
    }

    /// The keeper's own connection may still be the one that died.
    private func untilKept(_ keeper: BlocklistKeeper) async throws {
        for _ in 0..<200 {
            do { return try await keeper.keep() } catch is RedisError { try await Task.sleep(for: .milliseconds(50)) }
        }
        try await keeper.keep()
    }
}

/// A unit of work whose COMMIT was sent and never answered.
private final class LostUnit: UnitOfWork {
    private let actions = Mutex<[@Sendable (UnitOutcome) async throws -> Void]>([])

    func atEnd(_ action: @escaping @Sendable (_ outcome: UnitOutcome) async throws -> Void) { actions.withLock { $0.append(action) } }

    func end() async throws {
        for action in actions.withLock({ $0 }) { try await action(.unknown) }
    }
}

private final class Ending: Sendable {
    let hasCome = Atomic(false)
}
