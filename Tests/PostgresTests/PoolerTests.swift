import ConnectionPool
import TestSupport
import Testing
@testable import Postgres

@Suite struct `A client behind pgbouncer in transaction mode` {
    private func withClient(
        prepares: Bool, connections: Int = 8, _ body: (Postgres, PostgresServer) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared
        let pooler = try await PgBouncer.start(before: server, sessions: 2)
        try await server.withDatabase { configuration in
            var configuration = configuration
            configuration.port = pooler.port
            configuration.preparesStatements = prepares
            configuration.pool.maximumConnections = connections
            configuration.pool.maximumWaiters = 2_000
            try await PostgresServer.withClient(configuration) { try await body($0, server) }
        }
        try await pooler.end()
    }

    /// Many statements at once, each known by its text; what is wrong about their answers.
    private func wrongAnswers(_ postgres: Postgres) async throws -> [String] {
        try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<600 {
                group.addTask {
                    while true {
                        do {
                            let answer = try await answer(to: number, postgres)
                            return answer == [number] ? nil : "\(number): \(answer)"
                        } catch let error as PostgresError where error.code == .statementOutOfDate {
                            // What is prepared on another session is prepared again where nothing has run; else the caller is told to.
                            continue
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { if let wrong = $1 { $0.append(wrong) } }
        }
    }

    private func answer(to number: Int, _ postgres: Postgres) async throws -> [Int] {
        let identity = Identity([("heartguard.user_id", "\(number)")])
        let mode: TransactionMode = number % 2 == 0 ? .readOnly : .readWrite
        return switch number % 3 {
        case 0: try await postgres.rows("SELECT \(number) + 0", as: Scalar<Int>.self, tier: .slow, mode: mode).map(\.value)
        case 1:
            try await postgres.rows(
                "SELECT current_setting('heartguard.user_id')::int8", as: Scalar<Int>.self,
                identity: identity, tier: .slow, mode: mode
            ).map(\.value)
        default:
            try await postgres.transaction(identity: identity, tier: .slow, mode: mode) { transaction in
                let first = try await transaction.rows("SELECT \(number) * 1", as: Scalar<Int>.self)
                let second = try await transaction.rows(
                    "SELECT current_setting('heartguard.user_id')::int8 - \(number)", as: Scalar<Int>.self
                )
                return [(first + second).map(\.value).reduce(0, +)]
            }
        }
    }

    @Test func `gets every statement's own answer without preparing`() async throws {
        try await withClient(prepares: false) { postgres, _ in
            let wrong = try await wrongAnswers(postgres)

            #expect(wrong == [])
        }
    }

    @Test func `gets every statement's own answer though nobody told it of the pooler`() async throws {
        try await withClient(prepares: true) { postgres, _ in
            let wrong = try await wrongAnswers(postgres)

            #expect(wrong == [])
        }
    }

    @Test func `stops its statements, and copies`() async throws {
        try await withClient(prepares: false, connections: 2) { postgres, server in
            try await postgres.execute("CREATE TABLE marks (id int8)")

            let late = await #expect(throws: PostgresError.self) {
                try await postgres.execute(
                    "SELECT pg_sleep(60) /* pooled */", tier: TimeoutTier(limit: .milliseconds(300))
                )
            }
            let written = try await postgres.copy(Array(0..<1_000), into: TableColumns("marks", columns: ["id"])) {
                $0.append($1)
            }
            let read = try await postgres.copy(from: "SELECT id FROM marks", as: Scalar<Int>.self) { rows in
                var sum = 0
                for try await row in rows { sum += row.value }
                return sum
            }

            #expect(late?.code == .statementTimeout)
            #expect(written == 1_000 && read == 499_500)
        }
    }
}
