import ConnectionPool
import Logging
import Postgres
import RPC
import Synchronization
import Telemetry
import TestSupport
import Testing
import Time

@Suite struct `A statement's fingerprint` {
    @Test func `does not change with indentation and line ends`() {
        #expect(StatementFingerprint("SELECT a\n    FROM b ") == StatementFingerprint(" SELECT a FROM b"))
        #expect(StatementFingerprint("SELECT a FROM b") != StatementFingerprint("SELECT a FROM c"))
        #expect(StatementFingerprint("SELECT ab") != StatementFingerprint("SELECT a b"))
    }

    @Test func `is the same in every program`() {
        // FNV-1a of "a", from its authors' test vectors.
        #expect("\(StatementFingerprint("a"))" == "af63dc4c8601ec8c")
    }
}

@Suite struct `A query performance monitor` {
    private func run(_ milliseconds: Int, _ statements: String..., failure: PostgresError.Code? = nil) -> RoundTrip {
        RoundTrip(
            statements: statements, waitedForConnection: .seconds(9), waitedForServer: .milliseconds(milliseconds),
            failure: failure)
    }

    @Test func `tells of each statement how long it took and how often it failed`() throws {
        let monitor = QueryPerformanceMonitor()

        for milliseconds in 1...100 { monitor.ended(run(milliseconds, "SELECT 1")) }
        monitor.ended(run(1, "SELECT 2", failure: .statementTimeout))

        let (first, second) = try #require(monitor.snapshot().count == 2 ? (monitor.snapshot()[0], monitor.snapshot()[1]) : nil)
        #expect(first.statement == "SELECT 1" && first.failures == 0)
        let durations = first.durations.distribution
        #expect(durations.count == 100 && durations.sum == 5_050_000_000)
        #expect(abs(Double(durations.p50) / 50e6 - 1) < 0.01 && abs(Double(durations.p99) / 99e6 - 1) < 0.01)
        #expect(second.statement == "SELECT 2" && second.failures == 1)
    }

    @Test func `knows nothing of statements that had no connection`() {
        let monitor = QueryPerformanceMonitor()

        monitor.ended(RoundTrip(
            statements: ["SELECT 1"], waitedForConnection: .seconds(3), waitedForServer: .zero, failure: .poolTimeout,
            hadConnection: false))

        #expect(monitor.snapshot().isEmpty)
    }

    @Test func `adds replicas up to what one would have seen`() throws {
        let (one, other, both) = (QueryPerformanceMonitor(), QueryPerformanceMonitor(), QueryPerformanceMonitor())
        for milliseconds in 1...100 {
            let trip = run(milliseconds * milliseconds, "SELECT 1")
            (milliseconds % 10 == 0 ? one : other).ended(trip)
            both.ended(trip)
        }

        let merged = HistogramBuckets.merged([one, other].flatMap { $0.snapshot().map(\.durations) })

        let expected = try #require(both.snapshot().first?.durations)
        #expect(merged == expected)
        #expect(merged.distribution == expected.distribution)
    }

    @Test func `names the trace that a run was recorded in, of a call whose trace somebody records`() throws {
        let monitor = QueryPerformanceMonitor()
        let method = MethodDescriptor(service: "test.v1.TestService", name: "Read", kind: .unary, policy: .init(access: .user))
        let traced = RPCContext(method: method, trace: TraceContext.make().sampled)
        let untraced = RPCContext(method: method)

        CurrentTask.$scope.withValue(traced.scope) { monitor.ended(run(2, "SELECT 1")) }
        CurrentTask.$scope.withValue(untraced.scope) { monitor.ended(run(2, "SELECT 1")) }
        monitor.ended(run(2, "SELECT 1"))

        let statement = try #require(monitor.snapshot().first)
        #expect(statement.durations.distribution.count == 3)
        #expect(statement.exemplars[1]?.traceID == traced.trace.traceID)
        #expect(statement.exemplars[0] == nil)
    }

    @Test func `keeps a bounded number of statements apart`() {
        let monitor = QueryPerformanceMonitor(capacity: 3)

        for number in 0..<10 { monitor.ended(run(1, "SELECT \(number)")) }

        let names = monitor.snapshot().map(\.statement)
        #expect(names.count == 4 && names.contains(QueryPerformanceMonitor.other))
    }
}

@Suite struct `A slow query logger` {
    /// What was logged, as text.
    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.texts.withLock { $0.append("\(event.message) " + metadata.joined(separator: " ")) }
        }
    }

    private func withLogger(_ body: (SlowQueryLogger, () -> [String]) async throws -> Void) async rethrows {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in Handler(lines: lines) }
        try await body(SlowQueryLogger(logger: logger)) { lines.texts.withLock { $0 } }
    }

    private func trip(pool: Int, server: Int) -> RoundTrip {
        RoundTrip(
            statements: ["SELECT secret"], waitedForConnection: .milliseconds(pool), waitedForServer: .milliseconds(server))
    }

    @Test func `says nothing of what took less than 100 ms`() async {
        await withLogger { logger, lines in
            logger.ended(trip(pool: 50, server: 49))

            #expect(lines().isEmpty && logger.newest.isEmpty)
        }
    }

    @Test func `names the stage that took the time, and no statement`() async {
        await withLogger { logger, lines in
            logger.ended(trip(pool: 90, server: 10))
            logger.ended(trip(pool: 10, server: 290))

            #expect(logger.newest.map(\.stage) == [.server, .pool])
            #expect(logger.count(.pool) == 1 && logger.count(.server) == 1)
            let fingerprint = "\(StatementFingerprint("SELECT secret"))"
            #expect(lines().count == 2 && lines().allSatisfy { $0.contains(fingerprint) && !$0.contains("secret") })
            #expect(lines().last?.contains("duration_ms=300") == true && lines().last?.contains("stage=server") == true)
        }
    }

    @Test func `names the call and the trace that the query was made for`() async {
        await withLogger { logger, lines in
            let method = MethodDescriptor(service: "test.v1.TestService", name: "Slow", kind: .unary, policy: .init(access: .user))
            let context = RPCContext(method: method, trace: .make())

            await CurrentTask.$scope.withValue(context.scope) {
                logger.ended(trip(pool: 0, server: 100))
                // A narrower deadline makes no other call of it.
                await Deadline.with(.after(.seconds(1))) { logger.ended(trip(pool: 0, server: 100)) }
            }

            #expect(logger.newest.map(\.rpc) == [method, method])
            #expect(logger.newest.map(\.traceID) == [context.trace.traceID, context.trace.traceID])
            #expect(lines().allSatisfy { $0.contains("rpc=test.v1.TestService/Slow") })
        }
    }

    @Test func `writes few lines when everything is slow, and keeps the newest`() async {
        await withLogger { logger, lines in
            for milliseconds in 0..<1_000 { logger.ended(trip(pool: 0, server: 100 + milliseconds)) }

            #expect(lines().count <= 30)
            #expect(logger.newest.count == SlowQueryLogger.kept)
            #expect(logger.newest.first?.waitedForServer == .milliseconds(1_099))
            #expect(logger.count(.server) == 1_000)
        }
    }
}

@Suite struct `A database's monitors` {
    @Test func `hear of statements as they stand, of the wait for a connection and of failures`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            let monitors = DatabaseMonitors(logger: Logger(label: "test"))
            let postgres = Postgres(configuration: configuration, logger: Logger(label: "test"), observer: monitors)
            async let _: Void = postgres.run()

            let secret = "nobody's business"
            _ = try await postgres.first("SELECT \(secret)", as: Scalar<String>.self, mode: .readOnly)
            await #expect(throws: PostgresError.self) { try await postgres.execute("SELECT 1 / \(0)") }
            _ = try await postgres.first("SELECT pg_sleep(0.12)::text", as: Scalar<String>.self)

            let known = monitors.performance.snapshot()
            #expect(Set(known.map(\.statement)) == ["SELECT $1", "SELECT 1 / $1", "SELECT pg_sleep(0.12)::text"])
            #expect(known.first { $0.statement == "SELECT 1 / $1" }?.failures == 1)
            #expect(monitors.slowQueries.newest.map(\.stage).contains(.server))
        }
    }

    @Test func `hear which statement had no connection in time`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 0, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withDatabase(pool: one) { configuration in
            let slowQueries = SlowQueryLogger(logger: Logger(label: "test"), threshold: .zero)
            let postgres = Postgres(configuration: configuration, logger: Logger(label: "test"), observer: slowQueries)
            async let _: Void = postgres.run()

            try await postgres.transaction(tier: .batch) { transaction in
                try await transaction.execute("SELECT 1")
                let error = await #expect(throws: PostgresError.self) {
                    try await Deadline.with(.after(.milliseconds(20))) { try await postgres.execute("SELECT 7") }
                }
                #expect(error?.code == .poolTimeout)
            }

            let waited = slowQueries.newest.first { $0.fingerprints == [StatementFingerprint("SELECT 7")] }
            #expect(waited?.stage == .pool && waited?.waitedForServer == .zero)
        }
    }
}

@Suite struct `Prometheus' text` {
    @Test func `has cumulative buckets in seconds`() {
        var text = PrometheusText()
        let durations = HistogramBuckets(
            buckets: [.init(value: 900_000, count: 2), .init(value: 40_000_000, count: 1), .init(value: 60_000_000_000, count: 1)],
            sum: 60_041_800_000)

        text.family("a_seconds", .histogram, help: "How long.")
        text.histogram("a_seconds", [("fingerprint", "f")], durations)

        let lines = text.text.split(separator: "\n")
        #expect(lines.prefix(2) == ["# HELP a_seconds How long.", "# TYPE a_seconds histogram"])
        #expect(lines.contains("a_seconds_bucket{fingerprint=\"f\",le=\"0.001\"} 2"))
        #expect(lines.contains("a_seconds_bucket{fingerprint=\"f\",le=\"0.05\"} 3"))
        #expect(lines.contains("a_seconds_bucket{fingerprint=\"f\",le=\"10\"} 3"))
        #expect(lines.contains("a_seconds_bucket{fingerprint=\"f\",le=\"+Inf\"} 4"))
        #expect(lines.contains("a_seconds_sum{fingerprint=\"f\"} 60.0418"))
        #expect(lines.contains("a_seconds_count{fingerprint=\"f\"} 4"))
    }

    @Test func `of OpenMetrics names the newest trace of each bucket, and nothing else of it`() {
        let (before, after) = (TraceContext.make().sampled, TraceContext.make().sampled)
        let durations = HistogramBuckets(
            buckets: [.init(value: 900_000, count: 2), .init(value: 60_000_000_000, count: 1)], sum: 60_001_800_000)
        var exemplars = Exemplars()
        exemplars.record(900_000, of: before)
        exemplars.record(900_000, of: after)
        exemplars.record(60_000_000_000, of: before)

        func write(_ format: PrometheusText.Format) -> [String] {
            var text = PrometheusText(format)
            text.family("a_total", .counter, help: "Of \"them\".")
            text.sample("a_total", [], UInt64(1))
            text.family("a_seconds", .histogram, help: "How long.")
            text.histogram("a_seconds", [], durations, exemplars)
            return text.text.split(separator: "\n").map { String($0) }
        }
        let (plain, other) = (write(.prometheus), write(.openMetrics))

        #expect(other.prefix(3) == ["# HELP a Of \\\"them\\\".", "# TYPE a counter", "a_total 1"])
        #expect(other.contains("a_seconds_bucket{le=\"1.0\"} 2"))
        #expect(other.last == "# EOF")
        let marked = other.filter { $0.contains(" # ") }
        #expect(marked.count == 2)
        #expect(marked.first?.hasPrefix("a_seconds_bucket{le=\"0.001\"} 2 # {trace_id=\"\(after.traceID)\"} 0.0009 ") == true)
        #expect(marked.last?.hasPrefix("a_seconds_bucket{le=\"+Inf\"} 3 # {trace_id=\"\(before.traceID)\"} 60.0 ") == true)
        #expect(plain.prefix(3) == ["# HELP a_total Of \"them\".", "# TYPE a_total counter", "a_total 1"])
        #expect(plain.contains("a_seconds_bucket{le=\"1\"} 2"))
        #expect(!plain.contains { $0.contains(" # ") } && plain.last == "a_seconds_count 3")
    }

    @Test(arguments: [
        ("application/openmetrics-text", true), ("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", true),
        ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true),
        ("", false), ("*/*", false), ("text/plain", false), ("application/openmetrics-text;version=0.0.1", false),
        ("application/openmetrics-text;q=0", false), ("application/openmetrics-text;q=0.2,text/plain;q=0.3", false),
    ])
    func `is that of OpenMetrics for who names it and likes no other better`(accept: String, isOpen: Bool) {
        let format = PrometheusText.Format(accepting: accept.split(separator: ","))

        #expect((format == .openMetrics) == isOpen)
    }

    @Test func `escapes labels`() {
        var text = PrometheusText()

        text.sample("a", [("b", "c\"d\\e\nf")], 1.5)

        #expect(text.text == "a{b=\"c\\\"d\\\\e\\nf\"} 1.5\n")
    }
}
