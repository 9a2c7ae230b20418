import ConnectionPool
import Synchronization
import TestSupport
import Testing
@testable import Postgres

/// kill -9 of the server and all its processes while rows are written, as a lost machine leaves them.
@Suite struct `A server that is killed under load` {
    private struct Row: Sendable {
        let id: Int
    }

    @Test func `loses no acknowledged row and keeps none that was reported as failed, and the pool recovers by itself`() async throws {
        // An acknowledged row is on the disk, or at least with the kernel, which survives.
        let server = try await PostgresServer.start(settings: ["synchronous_commit=on"])
        var configuration = server.configuration(database: "postgres")
        configuration.pool = PoolConfiguration(
            minimumConnections: 2, maximumConnections: 4, acquireTimeout: .seconds(2), initialBackoff: .milliseconds(10),
            maximumBackoff: .milliseconds(100))
        try await server.psql("CREATE TABLE rows (id int8 PRIMARY KEY)")
        try await PostgresServer.withClient(configuration) { postgres in
            let manager = BatchInsertManager<Row>(
                postgres, into: TableColumns("rows", columns: ["id"]), configuration: BatchConfiguration(maximumRows: 20, maximumAge: .milliseconds(1))
            ) { row, record in row.append(record.id) }
            let outcomes = Outcomes()
            let managing = Task { await manager.run() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<24 {
                    group.addTask {
                        while let id = outcomes.next() {
                            do throws(PostgresError) {
                                // By the manager, and one by one.
                                if writer % 3 == 0 {
                                    try await postgres.execute("INSERT INTO rows VALUES (\(id))")
                                } else {
                                    try await manager.insert(Row(id: id))
                                }
                                outcomes.note(id, nil)
                            } catch {
                                outcomes.note(id, error.code)
                                try await Task.sleep(for: .milliseconds(1))
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    await outcomes.more(acknowledged: 1_000)
                    let failed = outcomes.failedCount
                    // The session that asks for it is killed too.
                    await #expect(throws: Command.Failed.self) {
                        try await server.psql(
                            "COPY (SELECT 1) TO PROGRAM 'p=$(head -n 1 postmaster.pid); kill -9 $p $(cat /proc/$p/task/$p/children)'")
                    }
                    while outcomes.failedCount == failed { try await Task.sleep(for: .milliseconds(1)) }
                    try await restart(server)
                }
                await outcomes.more(acknowledged: 1_000)
                outcomes.end()
                try await group.waitForAll()
            }
            managing.cancel()
            await managing.value

            let kept = Set(try await postgres.rows("SELECT id FROM rows", as: Scalar<Int>.self, tier: .normal).map(\.value))
            #expect(outcomes.acknowledged.subtracting(kept) == [])
            #expect(outcomes.failed.intersection(kept) == [])
            #expect(kept.subtracting(outcomes.acknowledged).subtracting(outcomes.unknown) == [])
            #expect(outcomes.acknowledged.count >= 4_000)
            let told: Set<PostgresError.Code> = [.connectionFailed, .outcomeUnknown, .poolTimeout, .statementTimeout, .other("57P03")]
            #expect(outcomes.codes.isSubset(of: told))
            #expect(postgres.statistics.open <= 4)
        }
        try await server.end()
    }

    /// Its processes may take a moment to be gone.
    private func restart(_ server: PostgresServer) async throws {
        for _ in 0..<100 {
            do {
                return try await server.restart()
            } catch is ServerFailedToStart {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await server.restart()
    }
}

/// What became of each row.
private final class Outcomes: Sendable {
    private struct State {
        var last = 0
        var isOver = false
        var acknowledged: Set<Int> = []
        var failed: Set<Int> = []
        var unknown: Set<Int> = []
        var codes: Set<PostgresError.Code> = []
    }

    private let state = Mutex(State())

    /// A row that nobody has written; `nil` at the end.
    func next() -> Int? {
        state.withLock { state in
            state.last += 1
            return state.isOver ? nil : state.last
        }
    }

    func note(_ id: Int, _ code: PostgresError.Code?) {
        state.withLock { state in
            switch code {
            case nil: state.acknowledged.insert(id)
            case .outcomeUnknown: state.unknown.insert(id)
            default: state.failed.insert(id)
            }
            if let code { state.codes.insert(code) }
        }
    }

    func more(acknowledged count: Int) async {
        let target = state.withLock { $0.acknowledged.count } + count
        while state.withLock({ $0.acknowledged.count }) < target {
            // Cancelled with the test.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    func end() { state.withLock { $0.isOver = true } }

    var failedCount: Int { state.withLock { $0.failed.count + $0.unknown.count } }
    var acknowledged: Set<Int> { state.withLock { $0.acknowledged } }
    var failed: Set<Int> { state.withLock { $0.failed } }
    var unknown: Set<Int> { state.withLock { $0.unknown } }
    var codes: Set<PostgresError.Code> { state.withLock { $0.codes } }
}
