internal import Application
internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `A stream of somebody who is signed in` {
    private func call(_ tokens: UsersV1.TokenPair, _ kind: CallKind = .bidirectional) -> RPCContext {
        let method = MethodDescriptor(
            service: "heartguard.tests.v1.TestsService", name: "Count", kind: kind, policy: MethodPolicy(access: .user))
        return RPCContext(method: method, metadata: ["authorization": "Bearer \(tokens.accessToken)"])
    }

    enum End: CaseIterable, Sendable {
        case loggedOut, loggedOutEverywhere, passwordChanged, refreshTokenReused, erased
    }

    @Test(arguments: End.allCases)
    func `ends with the session, whatever ends that`(reason: End) async throws {
        try await withUsers { users in
            let (ada, stream) = (Person(), OpenStream())
            let (phone, watch) = (try await users.register(ada), try await users.signIn(ada))

            let error = try await stream.ending(of: call(phone), letIn: users.authentication()) {
                switch reason {
                case .loggedOut: _ = try await users.service.logOut(.init(), context: users.context(phone))
                case .loggedOutEverywhere: _ = try await users.service.logOutEverywhere(.init(), context: users.context(watch))
                case .passwordChanged:
                    _ = try await users.service.changePassword(
                        .init(currentPassword: ada.password, newPassword: "a new horse battery staple"), context: users.context(watch))
                case .refreshTokenReused:
                    _ = try await users.refresh(phone)
                    await expect(.unauthenticated) { try await users.refresh(phone) }
                case .erased: _ = try await users.erase(ada, watch)
                }
            }

            #expect(error?.code == .unauthenticated && error?.message == "The session has ended. Sign in again.")
            #expect(stream.isCancelled)
        }
    }

    @Test(arguments: [CallKind.clientStreaming, .serverStreaming, .bidirectional])
    func `ends with it whichever side sends several messages`(kind: CallKind) async throws {
        try await withUsers { users in
            let (tokens, stream) = (try await users.register(Person()), OpenStream())

            let error = try await stream.ending(of: call(tokens, kind), letIn: users.authentication()) {
                _ = try await users.service.logOut(.init(), context: users.context(tokens))
            }

            #expect(error?.code == .unauthenticated && stream.isCancelled)
        }
    }

    @Test func `goes on when another session of the account ends`() async throws {
        try await withUsers { users in
            let (ada, clock) = (Person(), TokenClock())
            let (phone, watch) = (try await users.register(ada), try await users.signIn(ada))

            try await users.authentication(clock: clock).intercept(call(watch)) { _ in
                _ = try await users.service.logOut(.init(), context: users.context(phone))
                try await clock.isLookedAt()
            }
        }
    }

    @Test func `is asked about again, and a call of one answer is not`() async throws {
        try await withUsers { users in
            let (tokens, clock) = (try await users.register(Person()), TokenClock())
            let authentication = try users.authentication(clock: clock)

            try await authentication.intercept(call(tokens, .unary)) { _ in
                _ = try await users.service.logOut(.init(), context: users.context(tokens))
                try await Task.sleep(for: .milliseconds(30))
            }

            #expect(clock.looks == 1)
            await expect(.unauthenticated) { try await authentication.intercept(call(tokens, .unary)) { _ in } }
        }
    }

    @Test func `ends with the token, behind its end when calls are refused too`() async throws {
        try await withUsers { users in
            let (tokens, clock, stream) = (try await users.register(Person()), TokenClock(), OpenStream())
            let end = try await users.claims(tokens).expiresAt

            let error = try await stream.ending(of: call(tokens), letIn: users.authentication(clock: clock)) {
                clock.stop(at: end + .seconds(29))
                try await clock.isLookedAt()
                #expect(!stream.isCancelled)
                clock.stop(at: end + .seconds(30))
            }

            #expect(error?.code == .unauthenticated && error?.message == "The token has expired.")
            #expect(stream.isCancelled)
        }
    }

    @Test func `goes on while Redis is away, and ends by the record`() async throws {
        try await RedisServer.with { redis in
            try await withUsers(redis: redis) { users in
                let (tokens, clock, stream) = (try await users.register(Person()), TokenClock(), OpenStream())

                let error = try await stream.ending(of: call(tokens), letIn: users.authentication(clock: clock)) {
                    try await redis.kill()
                    try await clock.isLookedAt()
                    #expect(!stream.isCancelled)
                    await expect(.unavailable) { _ = try await users.service.logOut(.init(), context: users.context(tokens)) }
                }

                #expect(error?.code == .unauthenticated && stream.isCancelled)
            }
        }
    }

    @Test func `is left to the service that it is passed on to where there is no record`() async throws {
        try await RedisServer.with { redis in
            try await withUsers(redis: redis) { users in
                let (tokens, clock) = (try await users.register(Person()), TokenClock())

                try await users.authentication(clock: clock, hasRecord: false).intercept(call(tokens)) { _ in
                    try await redis.kill()
                    try await clock.isLookedAt()
                }
            }
        }
    }
}
