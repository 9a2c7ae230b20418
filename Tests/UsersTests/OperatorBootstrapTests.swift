internal import Application
internal import Contracts
internal import Logging
internal import Passwords
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Resilience
internal import Synchronization
internal import Testing
internal import Time
internal import Tokens

@testable internal import Users

@Suite struct `The operator's account` {
    private func bootstrap(
        _ users: UsersStand, _ person: Person, password: String? = nil, logger: Logger = quiet
    ) throws -> OperatorBootstrap {
        OperatorBootstrap(
            OperatorAccount(
                email: try EmailAddress(person.email), password: try Password(password ?? person.password)),
            users: UserRepository(postgres: users.postgres), sessions: users.service.sessions, profiles: users.service.profiles,
            passwords: users.passwords, logger: logger)
    }

    @Test func `is opened once, however often the service starts`() async throws {
        try await withUsers { users in
            let root = Person()

            let first = await (try bootstrap(users, root)).readiness.problem()
            let second = await (try bootstrap(users, root)).readiness.problem()
            let claims = try await users.claims(users.signIn(root))

            #expect(first == nil)
            #expect(second == nil)
            #expect(claims.role == .operator_)
        }
    }

    @Test func `is opened once by replicas that start together`() async throws {
        try await withUsers { users in
            let root = Person()
            let replicas = try (0..<4).map { _ in try bootstrap(users, root) }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas { group.addTask { try await replica.run() } }
                try await group.waitForAll()
            }

            #expect(try await users.claims(users.signIn(root)).role == .operator_)
        }
    }

    @Test func `gets the password that the settings have now`() async throws {
        try await withUsers { users in
            let root = Person()
            try await bootstrap(users, root, password: "the password of last year").run()

            try await bootstrap(users, root).run()

            #expect(try await users.claims(users.signIn(root)).role == .operator_)
        }
    }

    @Test func `has no session any more that began with another password`() async throws {
        try await withUsers { users in
            let root = Person()
            let old = "the password of last year"
            try await bootstrap(users, root, password: old).run()
            let before = try #require(try await users.service.logIn(.init(email: root.email, password: old), context: anonymous).tokens)

            try await bootstrap(users, root).run()

            let claims = try await users.claims(before)
            #expect(try await users.standing(claims) == .revoked)
            #expect(try await users.postgres.first(.isRevoked(session: claims.sessionID, of: claims.subject))?.value == true)
            await expect(.unauthenticated) { try await users.refresh(before) }
        }
    }

    @Test func `keeps its sessions while the password stays`() async throws {
        try await withUsers { users in
            let root = Person()
            try await bootstrap(users, root).run()
            let tokens = try await users.signIn(root)

            try await bootstrap(users, root).run()

            #expect(try await users.standing(users.claims(tokens)) == .standing)
            _ = try await users.refresh(tokens)
        }
    }

    @Test func `gets another password once from replicas that start together`() async throws {
        try await withUsers { users in
            let root = Person()
            try await bootstrap(users, root, password: "the password of last year").run()
            let replicas = try (0..<4).map { _ in try bootstrap(users, root) }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas { group.addTask { try await replica.run() } }
                try await group.waitForAll()
            }

            #expect(try await users.claims(users.signIn(root)).role == .operator_)
        }
    }

    @Test func `is said to be another's still when the settings name another address`() async throws {
        try await withUsers { users in
            let (former, root, user) = (Person(), Person(), Person())
            try await bootstrap(users, former).run()
            _ = try await users.register(user)
            let log = KeptLog()

            try await bootstrap(users, root, logger: log.logger).run()

            var named: [Bool] = []
            for person in [former, root, user] {
                let id = try await users.claims(users.signIn(person)).subject.text
                named.append(log.lines.contains { $0.contains(id) })
            }
            #expect(named == [true, false, false])
        }
    }

    @Test func `is never a user's account that had the address first`() async throws {
        try await withUsers { users in
            let mallory = Person()
            _ = try await users.register(mallory)

            let problem = await (try bootstrap(users, mallory)).readiness.problem()

            #expect(problem?.contains("HEARTGUARD_OPERATOR_EMAIL") == true)
            #expect(try await users.claims(users.signIn(mallory)).role == .user)
        }
    }
}

/// Keeps what is logged, with the values beside it.
private final class KeptLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "operator-tests") { _ in Handler(self) } }

    private struct Handler: LogHandler {
        let owner: KeptLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        init(_ owner: KeptLog) { self.owner = owner }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { owner.kept.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
    }
}
