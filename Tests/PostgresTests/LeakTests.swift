import ConnectionPool
import FoundationEssentials
import Logging
import Synchronization
import TestSupport
import Testing
@testable import Postgres

/// Users who share a few connections, and everything that may become of a connection between two of them: it goes back in order, or
/// after a statement that failed, a body that threw, a task that was cancelled, a time that was over, or it is killed.
@Suite struct `Users of one pool` {
    /// So many take some seconds; `make soak` makes it a million.
    private static let reads = ProcessInfo.processInfo.environment["HEARTGUARD_LEAK_READS"].flatMap(Int.init) ?? 50_000
    private static let users = 8
    /// Tasks of each user. Every user has one row for each.
    private static let workers = 4

    @Test func `see no row of each other, whatever became of the connection before`() async throws {
        let server = try await PostgresServer.shared
        let pool = PoolConfiguration(
            minimumConnections: 4, maximumConnections: 4, acquireTimeout: .seconds(60), initialBackoff: .milliseconds(10))
        try await server.withDatabase(pool: pool) { configuration in
            let role = "\(configuration.database)_leak"
            try await server.psql("""
                CREATE ROLE \(role) LOGIN;
                CREATE TABLE notes (user_id uuid, worker int, edits int8 NOT NULL DEFAULT 0, PRIMARY KEY (user_id, worker)) WITH (fillfactor = 10);
                INSERT INTO notes SELECT format('00000000-0000-7000-8000-%s', lpad(u::text, 12, '0'))::uuid, w
                    FROM generate_series(1, \(Self.users)) u, generate_series(1, \(Self.workers)) w;
                ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                ALTER TABLE notes FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON notes
                    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
                GRANT SELECT, UPDATE ON notes TO \(role);
                """, database: configuration.database)
            var configuration = configuration
            configuration.user = role
            let began = ContinuousClock.now

            let tallies = try await PostgresServer.withClient(configuration) { postgres in
                let handovers = Handovers()
                return try await withThrowingTaskGroup(of: Tally.self) { group in
                    for user in 1...Self.users {
                        for worker in 1...Self.workers {
                            let visitor = Visitor(number: user, worker: worker, postgres: postgres, handovers: handovers)
                            let share = Self.reads / (Self.users * Self.workers) + 1
                            group.addTask(executorPreference: postgres.taskExecutor) { try await visitor.stay(reads: share) }
                        }
                    }
                    return try await group.reduce(into: [Tally]()) { $0.append($1) }
                }
            }

            let total = tallies.reduce(into: Tally()) { $0.add($1) }
            #expect(total.foreign == 0)
            #expect(total.reads >= Self.reads)
            // Else it has not been tried: most of the connections came from another user, and each end was met.
            #expect(total.handovers > total.reads / 2)
            for ending in Visitor.Ending.allCases { #expect(total.endings[ending, default: 0] > 0) }
            // Each row has the edits that its user was told of, or those and some whose outcome nobody knows.
            for tally in tallies {
                let edits = try await server.psql(
                    "SELECT edits FROM notes WHERE user_id = '\(tally.user.uuidString)' AND worker = \(tally.worker)",
                    database: configuration.database)
                #expect((tally.edits...tally.edits + tally.unknown).contains(try #require(Int(edits))))
            }
            let seconds = began.duration(to: .now) / .seconds(1)
            print("Leak test: \(total) in \(Int(seconds)) s, \(Int(Double(total.reads) / seconds)) reads/s")
            try await server.psql("DROP OWNED BY \(role); DROP ROLE \(role)", database: configuration.database)
        }
    }
}

/// One task of a user: what it does in turn, and what it saw.
private struct Visitor: Sendable {
    /// How a borrower may leave a connection.
    enum Ending: CaseIterable, Hashable {
        case failed, thrown, cancelled, timedOut, killed, killedByAnother
    }

    struct Refusal: Error {}

    struct Seen: RowDecodable {
        let user: UUID
        let backend: Int32

        init(row: Row) throws(PostgresError) {
            user = try row.decode(at: 0)
            backend = try row.decode(at: 1)
        }
    }

    let user: UUID
    let worker: Int
    let identity: Identity
    let postgres: Postgres
    let handovers: Handovers

    init(number: Int, worker: Int, postgres: Postgres, handovers: Handovers) {
        let digits = String(number)
        let id = "00000000-0000-7000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        guard let user = UUID(uuidString: id) else { preconditionFailure("\(id) is a UUID") }
        self.user = user
        self.worker = worker
        identity = Identity([("heartguard.user_id", id.lowercased())])
        self.postgres = postgres
        self.handovers = handovers
    }

    /// Reads so many times, and does something else in between.
    func stay(reads: Int) async throws -> Tally {
        var tally = Tally(user: user, worker: worker)
        var step = worker
        while tally.reads < reads {
            step += 1
            do throws(PostgresError) {
                try await read(&tally)
                if step % 16 == 0 { try await write(&tally) }
                if step % 32 == 0 { try await readAsNobody(&tally) }
            } catch {
                try tally.note(error)
            }
            if step % 128 == 0 {
                let ending = Ending.allCases[(step / 128 + worker) % Ending.allCases.count]
                if try await leave(ending, &tally) { tally.endings[ending, default: 0] += 1 }
            }
        }
        return tally
    }

    /// Without a condition: what is seen is what the policy shows.
    private func read(_ tally: inout Tally) async throws(PostgresError) {
        let seen = try await postgres.rows(
            "SELECT user_id, pg_backend_pid() FROM notes", as: Seen.self, identity: identity, mode: .readOnly)
        tally.reads += 1
        tally.foreign += seen.count { $0.user != user } + (seen.count == 4 ? 0 : 1)
        if let backend = seen.first?.backend, handovers.lent(backend, to: user) { tally.handovers += 1 }
    }

    /// A row for this worker is there of every user.
    private var edit: Query { "UPDATE notes SET edits = edits + 1 WHERE worker = \(worker) RETURNING user_id, 0" }

    private func write(_ tally: inout Tally) async throws(PostgresError) {
        do {
            let edited = try await postgres.rows(edit, as: Seen.self, identity: identity)
            tally.edits += 1
            tally.foreign += edited.count { $0.user != user } + (edited.count == 1 ? 0 : 1)
        } catch {
            if error.code == .outcomeUnknown { tally.unknown += 1 }
            throw error
        }
    }

    private func readAsNobody(_ tally: inout Tally) async throws(PostgresError) {
        let seen = try await postgres.batch(["SELECT user_id, 0 FROM notes", edit])
        tally.foreign += seen.reduce(0) { $0 + $1.rowsAffected }
    }

    /// Leaves a connection in one of the ways that are not the usual one. `false` if a kill by another came before it.
    private func leave(_ ending: Ending, _ tally: inout Tally) async throws -> Bool {
        let expected: PostgresError.Code?
        var met: PostgresError.Code?
        switch ending {
        case .failed:
            expected = .other("22012")
            met = await code { try await postgres.batch([edit, "SELECT 1 / \(0)"], identity: identity) }
        case .thrown:
            expected = nil
            do {
                try await postgres.transaction(identity: identity) { transaction in
                    try await transaction.execute(edit)
                    throw Refusal()
                }
            } catch {
                met = (error as? PostgresError)?.code
            }
        case .cancelled:
            expected = .queryCancelled
            let started = Signal()
            let task = Task {
                await code {
                    try await postgres.transaction(identity: identity) { transaction in
                        do { try await transaction.execute(edit) } catch { started.send(); throw error }
                        started.send()
                        try await transaction.execute("SELECT pg_sleep(60)")
                    }
                }
            }
            await started.wait()
            task.cancel()
            met = await task.value
        case .timedOut:
            expected = .statementTimeout
            // Long enough to have been lent a connection.
            let tier = TimeoutTier(limit: .milliseconds(250))
            met = await code { try await postgres.batch([edit, "SELECT pg_sleep(60)"], identity: identity, tier: tier) }
            if met == .poolTimeout { return false }
        case .killed:
            expected = .connectionFailed
            met = await code {
                try await postgres.batch([edit, "SELECT pg_terminate_backend(pg_backend_pid())"], identity: identity)
            }
        case .killedByAnother:
            expected = nil
            met = await code {
                try await postgres.batch(["""
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE usename = current_user AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1
                    """], identity: identity, mode: .readOnly)
            }
        }
        if met == expected { return true }
        // Another killed the connection; of a batch, whose COMMIT goes along, nobody knows then how far it came.
        #expect(met == .connectionFailed || met == .outcomeUnknown, "\(ending)")
        return ending == .killed
    }

    private func code(_ body: () async throws -> Void) async -> PostgresError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? PostgresError)?.code
        }
    }
}

/// What one task saw, or all of them.
private struct Tally: Sendable, CustomStringConvertible {
    var user = UUID()
    var worker = 0
    var reads = 0
    /// Reads over a connection whose last reader was another user.
    var handovers = 0
    /// Edits that are committed.
    var edits = 0
    /// Edits of which nobody knows whether they are.
    var unknown = 0
    /// Calls that were lost because another killed their connection.
    var lost = 0
    /// Rows that were another user's, were nobody's to see, or were missing.
    var foreign = 0
    var endings: [Visitor.Ending: Int] = [:]

    mutating func note(_ error: PostgresError) throws {
        guard error.code == .connectionFailed || error.code == .outcomeUnknown else { throw error }
        lost += 1
    }

    mutating func add(_ other: Tally) {
        reads += other.reads
        handovers += other.handovers
        edits += other.edits
        unknown += other.unknown
        lost += other.lost
        foreign += other.foreign
        endings.merge(other.endings, uniquingKeysWith: +)
    }

    var description: String {
        "\(reads) reads, \(handovers) of them after another user, \(edits) edits, \(lost) calls lost with their connection, "
            + endings.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ") + ", \(foreign) foreign rows"
    }
}

/// Who read last over which connection.
private final class Handovers: Sendable {
    private let last = Mutex<[Int32: UUID]>([:])

    /// Whether it was another.
    func lent(_ backend: Int32, to user: UUID) -> Bool {
        last.withLock { last in
            let previous = last.updateValue(user, forKey: backend)
            return previous != nil && previous != user
        }
    }
}
