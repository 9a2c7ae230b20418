import ConnectionPool
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing
@testable import Migrations

/// Revisions that are applied while the tables are in use, by clients that have their statements prepared.
@Suite struct `A migration under load` {
    private static let pool = PoolConfiguration(minimumConnections: 4, maximumConnections: 4, acquireTimeout: .seconds(60))

    private static let table = Revision(id: "000", name: "things", sql: """
        CREATE TABLE things (id int PRIMARY KEY, size int NOT NULL, note text);
        INSERT INTO things SELECT n, 0, 'n' FROM generate_series(0, 99) n;
        """)

    /// One round of what changes a table under a statement.
    private static func round(_ number: Int) -> [Revision] {
        let type = number % 2 == 0 ? "bigint" : "int"
        return [
            Revision(id: "\(number)a", name: "adds", sql: "ALTER TABLE things ADD extra\(number) int DEFAULT 7"),
            Revision(id: "\(number)b", name: "widens", sql: "ALTER TABLE things ALTER size TYPE \(type)"),
            Revision(
                id: "\(number)c", name: "indexes", sql: "CREATE INDEX CONCURRENTLY things_size\(number) ON public.things (size, id)",
                execution: .concurrentIndexes),
            Revision(id: "\(number)d", name: "drops", sql: "ALTER TABLE things DROP COLUMN extra\(number)"),
        ]
    }

    /// What clients do meanwhile. Each is one call; each statement's result changes with the table.
    private static let calls: [@Sendable (Postgres, Int) async throws -> Void] = [
        { postgres, id in
            let row = try await postgres.first("SELECT * FROM things WHERE id = \(id)", as: Row.self, mode: .readOnly)
            #expect(try row?.decode("id", as: Int.self) == id)
        },
        { postgres, id in
            let row = try await postgres.first("SELECT size, id FROM things WHERE id = \(id)", as: Row.self)
            #expect(try row?.decode("id", as: Int.self) == id)
        },
        { postgres, id in
            let row = try await postgres.first("UPDATE things SET size = size + 1 WHERE id = \(id) RETURNING *", as: Row.self)
            #expect(try row?.decode("id", as: Int.self) == id)
        },
        { postgres, id in
            let (first, second, third, fourth) = try await postgres.batch(
                Statement<Void>.writing("SELECT *, 1 FROM things WHERE id = \(id)"),
                Statement<Void>.writing("SELECT *, 2 FROM things WHERE id = \(id)"),
                Statement<Void>.writing("UPDATE things SET size = size + 1 WHERE id = \(id) RETURNING *, 3"),
                Statement<Void>.writing("SELECT size, 4 FROM things WHERE id = \(id)"))
            #expect([first, second, third, fourth].map(\.rowsAffected) == [1, 1, 1, 1])
        },
        { postgres, id in
            try await postgres.transaction { transaction in
                let row = try await transaction.first("SELECT *, 5 FROM things WHERE id = \(id)", as: Row.self)
                try await transaction.execute("UPDATE things SET size = \(try row?.decode("size", as: Int.self) ?? 0) WHERE id = \(id)")
            }
        },
    ]

    @Test func `fails no call, whatever becomes of the tables under its prepared statements`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase(pool: Self.pool) { configuration in
            try await PostgresServer.withClient(configuration) { owner in
                let rounds = 6
                let chain = MigrationChain(revisions: [Self.table] + (0..<rounds).flatMap(Self.round))
                try await Migrator(owner, chain: MigrationChain(revisions: [Self.table]), logger: Logger(label: "load")).up()

                let (answers, failures) = try await PostgresServer.withClient(configuration) { clients in
                    let load = Load(calls: Self.calls.count)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for (kind, call) in Self.calls.enumerated() {
                            for worker in 0..<2 {
                                // Each worker has rows of its own, so that none waits for another's.
                                group.addTask { await load.run(kind) { try await call(clients, ($0 * 10 + kind * 2 + worker) % 100) } }
                            }
                        }
                        await load.everyCall(answers: 5)
                        // A revision at a time, each met by every kind of call before the next.
                        for count in 2...chain.revisions.count {
                            let part = MigrationChain(revisions: Array(chain.revisions.prefix(count)))
                            try await Migrator(owner, chain: part, logger: Logger(label: "load")).up()
                            await load.everyCall(answers: 5)
                        }
                        load.end()
                        try await group.waitForAll()
                    }
                    return load.outcome
                }

                #expect(failures == [])
                #expect(answers >= 24 * 5 * Self.calls.count)
                let invalid = try await owner.first("SELECT count(*) FROM pg_index WHERE NOT indisvalid", as: Scalar<Int>.self)
                #expect(invalid?.value == 0)
            }
        }
    }

    @Test func `gives up where a table is held for longer than it may wait, and lets those go on who queue behind it`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase(pool: Self.pool) { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                let chain = MigrationChain(revisions: [Self.table] + Self.round(0).prefix(1))
                @Sendable func migrator(_ chain: MigrationChain) -> Migrator {
                    Migrator(postgres, chain: chain, logger: Logger(label: "load"), lockTimeout: .seconds(2))
                }
                try await migrator(MigrationChain(revisions: [Self.table])).up()

                // A transaction that has read the table, and does not end before everything else has.
                try await postgres.transaction(tier: .batch) { holder in
                    let count: Query = "SELECT count(*) FROM things"
                    #expect(try await holder.first(count, as: Scalar<Int>.self)?.value == 100)
                    let migration = Task { try await migrator(chain).up() }
                    while try await server.psql(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", database: configuration.database) == "0"
                    {
                        try await Task.sleep(for: .milliseconds(20))
                    }

                    // Queues behind the migration. If that waited on, the reader's own limit would end it.
                    let seen = try await postgres.first(count, as: Scalar<Int>.self, tier: .normal)
                    #expect(seen?.value == 100)
                    let error = await #expect(throws: MigrationError.self) { _ = try await migration.value }
                    #expect(error?.code == .failed(revision: "0a"))
                    #expect((error?.cause as? PostgresError)?.code == .lockTimeout)
                    #expect(try await holder.first(count, as: Scalar<Int>.self)?.value == 100)
                }
                #expect(try await migrator(chain).up() == ["0a"])
            }
        }
    }
}

/// Calls that are made again and again until they are told to end.
private final class Load: Sendable {
    private struct State {
        var answers: [Int]
        var failures: [String] = []
        var isOver = false
    }

    private let state: Mutex<State>

    init(calls: Int) { state = Mutex(State(answers: Array(repeating: 0, count: calls))) }

    func run(_ kind: Int, _ call: (Int) async throws -> Void) async {
        var number = 0
        while !state.withLock({ $0.isOver }) {
            number += 1
            do {
                try await call(number)
                state.withLock { $0.answers[kind] += 1 }
            } catch {
                state.withLock { $0.failures.append("call \(kind): \(error)") }
            }
        }
    }

    /// Returns when each kind of call was answered so many times from now on, or one has failed.
    func everyCall(answers: Int) async {
        let before = state.withLock { $0.answers }
        while state.withLock({ state in
            state.failures.isEmpty && zip(before, state.answers).contains { $1 - $0 < answers }
        }) {
            // Cancelled with the test.
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    func end() { state.withLock { $0.isOver = true } }

    var outcome: (answers: Int, failures: [String]) { state.withLock { ($0.answers.reduce(0, +), $0.failures) } }
}
