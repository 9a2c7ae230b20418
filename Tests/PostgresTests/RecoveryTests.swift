import ConnectionPool
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A lost connection` {
    private static let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))

    private func code(_ body: () async throws -> Void) async -> PostgresError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? PostgresError)?.code
        }
    }

    @Test func `that was idle is replaced`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase(pool: Self.one) { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                let pid = try #require(await postgres.first("SELECT pg_backend_pid()", as: Scalar<Int32>.self)).value

                try await server.psql("SELECT pg_terminate_backend(\(pid), 10000)")
                // The loss reaches the client when it may; until then a statement may meet it, and says so.
                while await code({ try await postgres.ping() }) == .connectionFailed {}

                let other = try #require(await postgres.first("SELECT pg_backend_pid()", as: Scalar<Int32>.self)).value
                #expect(other != pid)
                #expect(postgres.statistics.open == 1)
            }
        }
    }

    @Test func `in a statement before the COMMIT is known to have committed nothing`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                try await postgres.execute("CREATE TABLE marks (id int)")

                let code = await code {
                    try await postgres.batch([
                        "INSERT INTO marks VALUES (1)", "SELECT pg_terminate_backend(pg_backend_pid())",
                    ])
                }

                #expect(code == .connectionFailed)
                let count = try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self)
                #expect(count?.value == 0)
            }
        }
    }

    @Test func `without a word where a COMMIT was sent has an unknown outcome`() async throws {
        let server = try await PostgresServer.start()
        try await server.withDatabaseLeftBehind { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                // An immediate end of the server closes the connections without an answer.
                let end: Query = "COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -n 1 postmaster.pid); sleep 5'"

                let code = await code { try await postgres.execute(end) }

                #expect(code == .outcomeUnknown)
            }
        }
        try await server.end()
    }

    @Test func `comes back when the server does`() async throws {
        let server = try await PostgresServer.start()
        var configuration = server.configuration(database: "postgres")
        configuration.pool = PoolConfiguration(
            minimumConnections: 2, maximumConnections: 4, acquireTimeout: .milliseconds(200),
            initialBackoff: .milliseconds(10), maximumBackoff: .milliseconds(50)
        )
        try await PostgresServer.withClient(configuration) { postgres in
            while await code({ try await postgres.ping() }) != nil {}

            try await server.stop()
            let down = await code { try await postgres.ping() }
            #expect(down == .connectionFailed || down == .poolTimeout)

            try await server.restart()
            while await code({ try await postgres.ping() }) != nil {}
            try await postgres.ping()
        }
        try await server.end()
    }

    @Test func `is what a wrong address or role amounts to, with the reason`() async throws {
        let server = try await PostgresServer.shared
        var configuration = server.configuration(database: "no_such_database")
        configuration.pool.acquireTimeout = .seconds(2)
        try await PostgresServer.withClient(configuration) { postgres in
            var error: PostgresError?
            repeat {
                error = await #expect(throws: PostgresError.self) { try await postgres.ping() }
                // On a busy machine the wait may be over before the first attempt is.
            } while error?.code == .poolTimeout

            #expect(error?.code == .connectionFailed)
            #expect(error?.message.contains("no_such_database") == true)
        }
    }
}

@Suite struct `Many callers` {
    @Test func `share few connections and all get their own answer`() async throws {
        let server = try await PostgresServer.shared
        let pool = PoolConfiguration(
            minimumConnections: 2, maximumConnections: 4, acquireTimeout: .seconds(60), maximumWaiters: 2_000
        )
        try await server.withPostgres(pool: pool) { postgres in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2_000 {
                    group.addTask {
                        try await postgres.first("SELECT \(number)", as: Scalar<Int>.self, tier: .slow)?.value ?? 0
                    }
                }
                return try await group.reduce(0, +)
            }

            #expect(sum == 1_999_000)
            #expect(postgres.statistics.open <= 4)
        }
    }

    @Test func `are told apart from slow statements when no connection is free`() async throws {
        let server = try await PostgresServer.shared
        let pool = PoolConfiguration(minimumConnections: 0, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: pool) { postgres in
            try await postgres.transaction(tier: .batch) { transaction in
                try await transaction.execute("SELECT 1")

                let error = await #expect(throws: PostgresError.self) {
                    try await Deadline.with(.after(.milliseconds(20))) { try await postgres.ping() }
                }

                #expect(error?.code == .poolTimeout)
            }
        }
    }

    @Test func `get large results and send large parameters`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let bytes = [UInt8](repeating: 7, count: 20_000_000)

            let row = try await postgres.first("SELECT \(bytes) AS b, octet_length(\(bytes)) AS n", as: Row.self, tier: .slow)
            let rows = try await postgres.rows("SELECT n FROM generate_series(1, \(200_000)) n", as: Scalar<Int>.self, tier: .slow)

            #expect(try row?.decode("n", as: Int.self) == 20_000_000)
            #expect(try row?.decode("b", as: [UInt8].self) == bytes)
            #expect(rows.count == 200_000)
        }
    }
}
