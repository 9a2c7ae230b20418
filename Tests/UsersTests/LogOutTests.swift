internal import Application
internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `Who logs out` {
    @Test func `has the access token and the refresh token refused from then on`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())
            let claims = try await users.claims(tokens)

            _ = try await users.service.logOut(.init(), context: users.context(tokens))

            #expect(try await users.standing(claims) == .revoked)
            await expect(.unauthenticated) { try await users.refresh(tokens) }
        }
    }

    @Test func `may do so again`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())
            let context = try await users.context(tokens)

            _ = try await users.service.logOut(.init(), context: context)
            _ = try await users.service.logOut(.init(), context: context)

            await expect(.unauthenticated) { try await users.refresh(tokens) }
        }
    }

    @Test func `is told that the session has ended where the answer was lost and the call is made again, and is not let in`() async throws {
        try await withUsers { users in
            let tokens = try await users.register(Person())
            let again = RPCContext(
                method: UsersV1.UsersServiceMethods.logOut.descriptor, metadata: ["authorization": "Bearer \(tokens.accessToken)"])
            let authentication = try users.authentication()

            _ = try await users.service.logOut(.init(), context: users.context(tokens))
            let error = await #expect(throws: RPCError.self) {
                try await authentication.intercept(again) { _ in Issue.record("The call was let in.") }
            }

            #expect(error?.code == .unauthenticated)
            #expect(error?.detail(GoogleRPC.ErrorInfo.self)?.reason == "SESSION_ENDED")
        }
    }

    @Test func `stays signed in elsewhere`() async throws {
        try await withUsers { users in
            let ada = Person()
            let phone = try await users.register(ada)
            let watch = try await users.signIn(ada)

            _ = try await users.service.logOut(.init(), context: users.context(phone))

            let next = try await users.refresh(watch)
            #expect(try await users.standing(users.claims(next)) != .revoked)
        }
    }

    @Test func `is told to try again while the blocklist cannot be reached, and then it works`() async throws {
        try await RedisServer.with { redis in
            try await withUsers(redis: redis) { users in
                let tokens = try await users.register(Person())
                let claims = try await users.claims(tokens)
                let context = try await users.context(tokens)
                try await redis.kill()

                await expect(.unavailable) { try await users.service.logOut(.init(), context: context) }
                await expect(.unauthenticated) { try await users.refresh(tokens) }
                try await redis.launch()
                try await untilReached { _ = try await users.service.logOut(.init(), context: context) }
                try await users.keeper.keep()

                #expect(try await users.standing(claims) == .revoked)
            }
        }
    }
}

/// Runs the call until it is not UNAVAILABLE any more, which is how a client waits for a server that comes back.
private func untilReached(_ call: () async throws -> Void) async throws {
    for _ in 0..<200 {
        do {
            return try await call()
        } catch {
            guard RPCError.answering(error).code == .unavailable else { throw error }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
    try await call()
}
