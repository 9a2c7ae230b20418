import ConnectionPool
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A statement that takes too long` {
    private func isRunning(_ marker: String, _ server: PostgresServer) async throws -> Bool {
        try await server.psql("""
            SELECT count(*) FROM pg_stat_activity
            WHERE state <> 'idle' AND query LIKE '%\(marker)%' AND pid <> pg_backend_pid()
            """) != "0"
    }

    /// Connects, however long a busy machine takes for it.
    private func warmUp(_ postgres: Postgres) async {
        while await code({ try await postgres.ping() }) != nil {}
    }

    private func code(_ body: () async throws -> Void) async -> PostgresError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? PostgresError)?.code
        }
    }

    @Test func `is ended by its tier`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            await warmUp(postgres)
            let tier = TimeoutTier(limit: .milliseconds(50))

            let code = await code { try await postgres.execute("SELECT pg_sleep(60) /* tier */", tier: tier) }

            #expect(code == .statementTimeout)
            let isRunning = try await isRunning("/* tier */", server)
            #expect(!isRunning)
            try await postgres.ping()
        }
    }

    @Test func `is ended by the deadline of its caller`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            await warmUp(postgres)

            let code = await code {
                try await Deadline.with(.after(.milliseconds(50))) {
                    _ = try await postgres.execute("SELECT pg_sleep(60) /* deadline */")
                }
            }

            #expect(code == .statementTimeout)
            let isRunning = try await isRunning("/* deadline */", server)
            #expect(!isRunning)
        }
    }

    @Test func `is not begun after the deadline`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let code = await code {
                try await Deadline.with(.after(.zero)) { try await postgres.ping() }
            }

            #expect(code == .statementTimeout)
        }
    }

    @Test func `is ended by the client where the server has no timeout for it`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            await warmUp(postgres)
            let tier = TimeoutTier(limit: .milliseconds(50))

            let code = await code {
                try await postgres.batch([
                    "SELECT set_config('statement_timeout', '0', true)", "SELECT pg_sleep(60) /* client */",
                ], tier: tier)
            }

            #expect(code == .statementTimeout)
            let isRunning = try await isRunning("/* client */", server)
            #expect(!isRunning)
            try await postgres.ping()
        }
    }

    @Test func `ends with the task that asked for it, and leaves the connection of use`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: one) { postgres in
            let started = Signal()
            let task = Task {
                try await postgres.transaction { transaction in
                    try await transaction.execute("SELECT 1")
                    started.send()
                    try await transaction.execute("SELECT pg_sleep(60) /* task */")
                }
            }
            await started.wait()

            task.cancel()
            let code = await code { try await task.value }

            #expect(code == .queryCancelled)
            let isRunning = try await isRunning("/* task */", server)
            #expect(!isRunning)
            try await postgres.ping()
            #expect(postgres.statistics.open == 1)
        }
    }

    @Test func `leaves no setting behind where it ran outside a transaction`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: one) { postgres in
            await warmUp(postgres)
            let tier = TimeoutTier(limit: .milliseconds(300))

            let code = await code {
                try await postgres.executeOutsideTransaction("SELECT pg_sleep(60)", lockTimeout: .seconds(7), tier: tier)
            }

            #expect(code == .statementTimeout)
            let limit = try await postgres.first("SELECT current_setting('lock_timeout')", as: Scalar<String>.self)
            #expect(limit?.value == "0")
        }
    }

    @Test func `waits for locks no longer than it is told outside a transaction, to the millisecond`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            await warmUp(postgres)
            try await postgres.executeOutsideTransaction(
                "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value", lockTimeout: .milliseconds(750), tier: .slow)

            let seen = try await postgres.first("SELECT value FROM seen", as: Scalar<String>.self)

            #expect(seen?.value == "750ms")
        }
    }

    @Test func `is not begun by a task that has been cancelled`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute("CREATE TABLE marks (id int)")
            let task = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await postgres.execute("INSERT INTO marks VALUES (1)")
            }

            let code = await code { _ = try await task.value }

            #expect(code == .queryCancelled)
            let count = try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self)
            #expect(count?.value == 0)
        }
    }

    @Test func `never stops the statement of the next borrower`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: one) { postgres in
            for round in 0..<60 {
                let task = Task { try await postgres.execute("SELECT pg_sleep(\(Double(round % 6) / 2_000))") }
                for _ in 0..<round % 7 { await Task.yield() }
                task.cancel()

                // The next statement waits for the same connection and must see nothing of the cancellation.
                let value = try await postgres.first("SELECT \(round) FROM pg_sleep(0.002)", as: Scalar<Int>.self)

                #expect(value?.value == round)
                _ = await task.result
            }
        }
    }
}

/// Said once, heard once.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send() { continuation.yield() }

    func wait() async {
        for await _ in stream { return }
    }
}
