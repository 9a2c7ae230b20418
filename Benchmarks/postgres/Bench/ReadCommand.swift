internal import ArgumentParser
internal import BenchmarkSupport
internal import ConnectionPool
internal import Postgres
internal import Time

/// Reads as fast as the server answers, and says how often, how fast, and at what cost to the client.
struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "read", abstract: "Reads for some seconds.")

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        /// One vital by its key under row-level security: BEGIN, identity and time limit, SELECT, COMMIT.
        case point
        /// What `pgbench -S` reads, without an identity.
        case plain
        /// The newest vital of each metric of one person, under row-level security.
        case latest
    }

    @OptionGroup var server: ServerOptions

    @Option(help: "What to read.")
    var kind = Kind.point

    @Option(help: "Connections of the pool.")
    var connections = 16

    @Option(help: "Borrowers that read at a time; as many as connections unless it is said.")
    var borrowers: Int?

    @Option(help: "Seconds to measure; half a second comes first, unmeasured.")
    var seconds = 3.0

    @Option(help: "Rows to choose from.")
    var rows = 1_000_000

    @Option(help: "Persons that the rows are shared out to.")
    var users = 10_000

    @Flag(help: "Begin and commit explicitly, as what writes does.")
    var explicit = false

    @Flag(help: "Read from threads of Swift's own instead of from the client's event loop.")
    var elsewhere = false

    func run() async throws {
        try await server.withPostgres(connections: connections) { postgres in
            let reader = Reader(kind: kind, rows: rows, users: users, mode: explicit ? .readWrite : .readOnly)
            _ = try await read(postgres, reader, for: .milliseconds(500))
            let start = ContinuousClock.now
            let processTime = ProcessTime.now
            var latencies = try await read(postgres, reader, for: .seconds(seconds))
            let spent = (ProcessTime.now - processTime) / .microseconds(1)
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            latencies.sort()
            func percentile(_ share: Double) -> Double {
                Double(latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))]) / 1000
            }
            print("""
                {"reads": \(latencies.count), "seconds": \(elapsed), "cpu_us_per_read": \(spent / Double(latencies.count)), \
                "p50_us": \(percentile(0.5)), "p95_us": \(percentile(0.95)), "p99_us": \(percentile(0.99))}
                """)
        }
    }

    /// The time of each read in nanoseconds.
    private func read(_ postgres: Postgres, _ reader: Reader, for duration: Duration) async throws -> [Int64] {
        let end = ContinuousClock.now + duration
        return try await withThrowingTaskGroup(of: [Int64].self) { group in
            for borrower in 0..<(borrowers ?? connections) {
                group.addTask(executorPreference: elsewhere ? nil : postgres.taskExecutor) {
                    var numbers = Numbers(seed: UInt64(borrower))
                    var latencies: [Int64] = []
                    latencies.reserveCapacity(100_000)
                    var before = ContinuousClock.now
                    while before < end {
                        try await reader.read(postgres, &numbers)
                        let after = ContinuousClock.now
                        latencies.append(Int64((after - before) / .nanoseconds(1)))
                        before = after
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

/// One read after the other. A value of its own, since reading an option of the command line costs as much as a look-up.
struct Reader {
    let kind: ReadCommand.Kind
    let rows: Int
    let users: Int
    let mode: TransactionMode

    nonisolated(nonsending) func read(_ postgres: Postgres, _ numbers: inout Numbers) async throws {
        switch kind {
        case .point:
            let id = numbers.next(upTo: rows)
            let vital = try await postgres.first(
                statement("SELECT metric, value, taken_at FROM vitals WHERE id = \(id)", of: Vital.self),
                identity: person(id % users))
            guard vital != nil else { throw Unexpected(what: "no row for vital \(id)") }
        case .plain:
            let id = numbers.next(upTo: rows)
            let balance = try await postgres.first(
                statement("SELECT abalance FROM pgbench_accounts WHERE aid = \(id)", of: Scalar<Int>.self))
            guard balance != nil else { throw Unexpected(what: "no row for account \(id)") }
        case .latest:
            let user = numbers.next(upTo: users) - 1
            // The array stands in a query of its own, as in Vitals: of one that is a parameter PostgreSQL expects ten elements, finds
            // planning for six cheaper each time, and never keeps a plan.
            let latest: Query = """
                SELECT wanted.metric, newest.value, newest.taken_at FROM unnest((SELECT \(Vital.metrics))) AS wanted (metric)
                CROSS JOIN LATERAL (SELECT value, taken_at FROM vitals
                    WHERE user_id = \(user) AND vitals.metric = wanted.metric
                    ORDER BY taken_at DESC, id DESC LIMIT 1) AS newest
                """
            let vitals = try await postgres.rows(statement(latest, of: Vital.self), identity: person(user))
            guard vitals.count == Vital.metrics.count else { throw Unexpected(what: "\(vitals.count) vitals of \(user)") }
        }
    }

    private func statement<Value>(_ query: Query, of type: Value.Type) -> Statement<Value> {
        mode.isReadOnly ? .reading(query) : .writing(query)
    }

    private func person(_ number: Int) -> Identity { Identity([("heartguard.user_id", String(number))]) }
}

/// A row of the benchmark's table.
struct Vital: RowDecodable {
    static let metrics = ["heart_rate", "spo2", "respiratory_rate", "body_temperature", "systolic", "diastolic"]

    let metric: String
    let value: Double
    let takenAt: Instant

    init(row: Row) throws(PostgresError) {
        metric = try row.decode("metric")
        value = try row.decode("value")
        takenAt = try row.decode("taken_at")
    }
}

/// An answer that is not what was loaded, so its time would mean nothing.
struct Unexpected: Error {
    let what: String
}

/// SplitMix64: Swift's own generator asks the kernel at each call, which would be a part of what is measured.
struct Numbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    /// From 1 to the bound.
    mutating func next(upTo bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound)) + 1
    }
}
