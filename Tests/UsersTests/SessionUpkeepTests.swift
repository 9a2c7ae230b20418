internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `A session` {
    /// Has tokens of a session expired for so many days.
    private func age(_ tokens: UsersV1.TokenPair, days: Int64, onlyUsed: Bool = false, _ users: UsersStand) async throws {
        let claims = try await users.claims(tokens)
        try await users.postgres.execute(
            """
            UPDATE users.refresh_tokens SET expires_at = clock_timestamp() - make_interval(days => \(days)::int)
            WHERE session_id = \(claims.sessionID) AND (used_at IS NOT NULL OR NOT \(onlyUsed))
            """, identity: .user(claims.subject))
    }

    @Test func `is forgotten when its last token has long expired, whether it was ended or left`() async throws {
        try await withUsers { users in
            let ada = Person()
            let ended = try await users.register(ada)
            let (left, away, here) = (try await users.signIn(ada), try await users.signIn(ada), try await users.signIn(ada))
            let user = try await users.claims(ended).subject
            let kept = [try await users.claims(away).sessionID, try await users.claims(here).sessionID]
            _ = try await users.service.logOut(.init(), context: users.context(ended))
            let next = try await users.refresh(here)
            try await age(ended, days: 31, users)
            try await age(left, days: 31, users)
            try await age(away, days: 29, users)
            try await age(here, days: 31, onlyUsed: true, users)

            let count = try await SessionRepository(postgres: users.postgres).forget(
                expiredBefore: .now() - SessionUpkeep.memory, atOnce: 1)

            #expect(count >= 3)
            let sessions = try await users.postgres.rows(
                "SELECT id FROM users.sessions WHERE user_id = \(user)", as: Scalar<UUID>.self, identity: .user(user))
            #expect(Set(sessions.map(\.value)) == Set(kept))
            let tokens = try await users.postgres.first(
                "SELECT count(*) FROM users.refresh_tokens WHERE user_id = \(user)", as: Scalar<Int>.self, identity: .user(user))
            #expect(tokens?.value == 2)
            _ = try await users.refresh(next)
        }
    }

    @Test func `is not forgotten with a token that is good`() async throws {
        try await withUsers { users in
            let repository = SessionRepository(postgres: users.postgres)

            let error = await #expect(throws: PostgresError.self) { try await repository.forget(expiredBefore: .now() + .seconds(60)) }

            #expect(error?.sqlState == "22023")
        }
    }

    @Test func `that has long expired is found by the index`() async throws {
        try await withUsers { users in
            let configuration = try await administratorConfiguration()
            try await PostgresServer.withClient(configuration) { administrator in
                let moment = Instant.now() - SessionUpkeep.memory
                let plan = try await administrator.transaction { transaction in
                    // A table of a few rows is read whole by whoever may.
                    try await transaction.execute("SET LOCAL enable_seqscan = off")
                    return try await transaction.rows(
                        "EXPLAIN SELECT digest FROM users.refresh_tokens WHERE expires_at < \(moment) ORDER BY expires_at LIMIT 1000",
                        as: Scalar<String>.self)
                }

                #expect(plan.contains { $0.value.contains("refresh_tokens_by_expiry") })
            }
        }
    }
}
