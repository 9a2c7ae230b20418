internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `A refresh token` {
    @Test func `is traded for the next pair of the same session`() async throws {
        try await withUsers { users in
            let first = try await users.register(Person())

            let second = try await users.refresh(first)
            let third = try await users.refresh(second)
            let claims = try await (users.claims(first), users.claims(third))

            #expect(Set([first, second, third].map(\.refreshToken)).count == 3)
            #expect(claims.0.sessionID == claims.1.sessionID)
            #expect(claims.0.subject == claims.1.subject)
            #expect(claims.0.tokenID != claims.1.tokenID)
        }
    }

    @Test func `that is used again ends its session and every token of it`() async throws {
        try await withUsers { users in
            let stolen = try await users.register(Person())
            let claims = try await users.claims(stolen)
            let next = try await users.refresh(stolen)

            let reuse = await #expect(throws: UsersError.self) { try await users.refresh(stolen) }
            let after = await #expect(throws: UsersError.self) { try await users.refresh(next) }

            #expect(reuse == .refreshTokenReused)
            #expect(after == .refreshTokenRefused)
            #expect(reuse?.rpcError.code == .unauthenticated)
            #expect(after?.rpcError.code == .unauthenticated)
            #expect(try await users.standing(claims) == .revoked)
        }
    }

    @Test func `that is used again leaves the person's other sessions alone`() async throws {
        try await withUsers { users in
            let ada = Person()
            let stolen = try await users.register(ada)
            let other = try await users.signIn(ada)
            _ = try await users.refresh(stolen)
            await expect(.unauthenticated) { try await users.refresh(stolen) }

            let next = try await users.refresh(other)

            #expect(try await users.standing(users.claims(next)) != .revoked)
        }
    }

    @Test func `is good for one of many who show it at the same moment`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())

            let next = await withTaskGroup(of: UsersV1.TokenPair?.self) { group in
                // Refused is what all but one are to be, and nobody asks why here.
                for _ in 0..<8 { group.addTask { try? await users.refresh(tokens) } }
                return await group.reduce(into: []) { pairs, pair in pairs += [pair].compactMap(\.self) }
            }

            #expect(next.count == 1)
            // The second use has ended the session, so what the first was given is dead as well.
            await expect(.unauthenticated) { try await users.refresh(next[0]) }
        }
    }

    @Test func `is refused once it has expired`() async throws {
        try await withUsers(lifetimes: TokenLifetimes(refresh: .zero)) { users in
            let tokens = try await users.register(Person())

            let error = await #expect(throws: UsersError.self) { try await users.refresh(tokens) }

            #expect(error == .refreshTokenRefused)
        }
    }

    @Test func `is refused when nobody was given it`() async throws {
        try await withUsers { users in
            let ada = try await users.claims(users.register(Person())).subject
            let invented = RefreshToken(userID: ada).text

            for text in [invented, RefreshToken(userID: UUID()).text, "hgr_", "not a token", String(invented.dropLast())] {
                await expect(.unauthenticated) {
                    try await users.service.refreshToken(.init(refreshToken: text), context: anonymous)
                }
            }
            await expect(.invalidArgument, fields: ["refresh_token"]) {
                try await users.service.refreshToken(.init(), context: anonymous)
            }
        }
    }

    @Test func `is stored as its digest alone`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())
            let claims = try await users.claims(tokens)

            let digests = try await users.postgres.rows(
                "SELECT digest FROM users.refresh_tokens WHERE user_id = \(claims.subject)",
                as: Scalar<[UInt8]>.self, identity: .user(claims.subject))

            #expect(digests.map(\.value) == [try RefreshToken(parsing: tokens.refreshToken).digest])
        }
    }

    @Test func `that expired a moment ago stays with its session: who showed it in time may be getting the next`() async throws {
        try await withUsers(lifetimes: TokenLifetimes(refresh: .zero)) { users in
            let ada = Person()
            let session = try await users.claims(users.register(ada))

            _ = try await users.signIn(ada)

            let sessions = try await users.postgres.rows(
                "SELECT session_id FROM users.refresh_tokens WHERE user_id = \(session.subject)", as: Scalar<UUID>.self,
                identity: .user(session.subject))
            #expect(sessions.count == 2 && sessions.map(\.value).contains(session.sessionID))
        }
    }

    @Test func `that has expired is forgotten when its owner signs in again`() async throws {
        try await withUsers(lifetimes: TokenLifetimes(refresh: .seconds(-120))) { users in
            let ada = Person()
            let user = try await users.claims(users.register(ada)).subject

            _ = try await users.signIn(ada)
            _ = try await users.signIn(ada)

            let count = try await users.postgres.first(
                "SELECT count(*) FROM users.refresh_tokens WHERE user_id = \(user)", as: Scalar<Int>.self,
                identity: .user(user))
            #expect(count?.value == 1)
            let sessions = try await users.postgres.first(
                "SELECT count(*) FROM users.sessions WHERE user_id = \(user)", as: Scalar<Int>.self, identity: .user(user))
            #expect(sessions?.value == 1)
        }
    }
}
