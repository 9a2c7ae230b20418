import ConnectionPool
import FoundationEssentials
import Synchronization
import TestSupport
import Testing
@testable import Postgres

/// More callers than a slow database can serve.
@Suite struct `A batch insert manager under pressure` {
    /// So many take seconds; `make soak` makes it a million.
    private static let rows = ProcessInfo.processInfo.environment["HEARTGUARD_BATCH_ROWS"].flatMap(Int.init) ?? 30_000
    private static let callers = 4_000
    private static let queued = 2_000

    fileprivate struct Mark: Sendable {
        let id: Int
        let label: String
    }

    @Test func `keeps no more than its line, turns away the rest, and gives everyone their outcome`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute("CREATE TABLE marks (id int8 PRIMARY KEY, label text NOT NULL)")
            // Each statement takes as long as a commit on a slow disk.
            try await postgres.execute("""
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$
                """)
            try await postgres.execute("CREATE TRIGGER slow AFTER INSERT ON marks FOR EACH STATEMENT EXECUTE FUNCTION slow()")
            let manager = BatchInsertManager<Mark>(
                postgres, into: TableColumns("marks", columns: ["id", "label"]),
                configuration: BatchConfiguration(maximumRows: 500, maximumQueued: Self.queued, maximumInFlight: 2)
            ) { row, mark in
                row.append(mark.id)
                row.append(mark.label)
            }
            let managing = Task { await manager.run() }
            let crowd = Crowd(manager: manager, rows: Self.rows)
            let before = try residentBytes()
            let began = ContinuousClock.now

            let refusals = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<Self.callers {
                    group.addTask { try await crowd.insert() }
                }
                return try await group.reduce(0, +)
            }

            let grown = try residentBytes() - before
            managing.cancel()
            await managing.value
            let kept = try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self, tier: .slow)?.value
            #expect(kept == Self.rows)
            #expect(refusals > 0)
            #expect(crowd.longestLine <= Self.queued)
            // What waits is some megabytes, however many rows there are; a million of them would be hundreds.
            #expect(grown < 64 << 20)
            let seconds = began.duration(to: .now) / .seconds(1)
            print("Batch under pressure: \(Self.rows) rows in \(Int(seconds)) s, \(refusals) refusals, "
                + "\(crowd.longestLine) in line at most, \(grown >> 10) KiB more resident than before, \(try residentBytes() >> 20) MiB in all")
        }
    }

    /// What the process holds in memory (proc_pid_status(5), VmRSS).
    private func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
}

/// Callers who insert one row after another until all are in.
private final class Crowd: Sendable {
    private let manager: BatchInsertManager<`A batch insert manager under pressure`.Mark>
    private let rows: Int
    private let state = Mutex((next: 0, longest: 0))

    init(manager: BatchInsertManager<`A batch insert manager under pressure`.Mark>, rows: Int) {
        self.manager = manager
        self.rows = rows
    }

    /// The most rows that were seen to wait.
    var longestLine: Int { state.withLock { $0.longest } }

    /// What one caller does; how often it was turned away.
    func insert() async throws -> Int {
        var refusals = 0
        while let id = next() {
            while try await !isTaken(id) {
                // The line is full: the caller comes again later.
                refusals += 1
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return refusals
    }

    private func next() -> Int? {
        let waiting = manager.queuedCount
        return state.withLock { state in
            state.longest = max(state.longest, waiting)
            state.next += 1
            return state.next <= rows ? state.next : nil
        }
    }

    private func isTaken(_ id: Int) async throws -> Bool {
        do {
            try await manager.insert(.init(id: id, label: String(repeating: "m", count: 100)))
            return true
        } catch {
            guard error.code == .poolTimeout else { throw error }
            return false
        }
    }
}
