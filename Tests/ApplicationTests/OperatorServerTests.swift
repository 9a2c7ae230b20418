import Contracts
import Jobs
import Logging
import RPC
import Telemetry
import TestSupport
import Testing

@testable import Application
@testable import Cache

@Suite struct `The operator's port` {
    private func withServer(
        health: HealthReporter = HealthReporter(), _ body: (_ port: Int) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = OperatorServer(endpoint: OperatorEndpoint(host: "127.0.0.1", port: 0), health: health, logger: Logger(label: "test")) {
            var text = PrometheusText($0)
            text.sample("a_metric", [], 1.0)
            return text.text
        }
        let work = Task { try await server.run { port.yield($0) } }
        var seen = ports.makeAsyncIterator()
        let result: Result<Void, any Error>
        do { result = .success(try await body(try #require(await seen.next()))) } catch { result = .failure(error) }
        work.cancel()
        try await work.value
        try result.get()
    }

    private func ask(_ port: Int, _ path: String, _ options: String...) async throws -> String {
        try await Command.run(
            "/usr/bin/curl", ["--silent", "--max-time", "20", "--include"] + options + ["http://127.0.0.1:\(port)\(path)"])
    }

    @Test func `answers with metrics in Prometheus' text format`() async throws {
        try await withServer { port in
            let answer = try await ask(port, "/metrics")

            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains("content-type: \(PrometheusText.Format.prometheus.contentType)"))
            #expect(answer.hasSuffix("a_metric 1"))
        }
    }

    @Test func `says whether the program serves, and why not`() async throws {
        let health = HealthReporter(.serving)
        try await withServer(health: health) { port in
            let serving = try await ask(port, "/healthz")
            health.report(.notServing(reason: "The database does not answer."))
            let notServing = try await ask(port, "/healthz")

            #expect(serving.hasPrefix("HTTP/1.1 200"))
            #expect(serving.hasSuffix("\r\nSERVING"))
            #expect(notServing.hasPrefix("HTTP/1.1 503"))
            #expect(notServing.hasSuffix("\r\nNOT_SERVING: The database does not answer."))
        }
    }

    @Test func `answers in that of OpenMetrics to who prefers it`() async throws {
        try await withServer { port in
            let accept = "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
            let answer = try await ask(port, "/metrics", "--header", accept)

            #expect(answer.contains("content-type: \(PrometheusText.Format.openMetrics.contentType)"))
            #expect(answer.hasSuffix("a_metric 1\n# EOF"))
        }
    }

    @Test func `has nothing else, and takes nothing`() async throws {
        try await withServer { port in
            let elsewhere = try await ask(port, "/")
            let sent = try await ask(port, "/metrics", "--request", "POST", "--data", "x")

            #expect(elsewhere.hasPrefix("HTTP/1.1 404"))
            #expect(sent.hasPrefix("HTTP/1.1 405"))
        }
    }

    @Test func `ends each connection, so one that asks again connects again`() async throws {
        try await withServer { port in
            for _ in 0..<OperatorServer.maximumConnections * 2 {
                let answer = try await ask(port, "/metrics")
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
        }
    }
}

@Suite struct `What a program tells an operator` {
    @Test func `has metrics of every monitor, under Prometheus' names`() async {
        let checker = DatabaseHealthChecker(checks: [])
        _ = await checker.observing(ReadinessCheck("postgres") { "It does not answer." }).problem()
        let monitors = Monitors(
            database: DatabaseMonitors(logger: Logger(label: "test")), pools: ConnectionPoolMonitor([]), health: checker,
            caches: { [("users.profile", CacheStatistics())] })
        monitors.published.add {
            let lines = JobStatistics.Lines(
                lines: [.init(priority: .high, depth: 3, due: 2, oldestAge: .milliseconds(1_500))], deadLetters: 4)
            let queue = JobStatistics(queue: "arq:queue:vectors", running: 1, counts: .init(), lines: lines)
            JobMetrics(queue: queue, outbox: OutboxBacklog(waiting: 5, oldest: nil)).write(to: &$0)
        }

        let text = monitors.prometheusText()

        #expect(text.contains("# TYPE heartguard_db_statement_duration_seconds histogram\n"))
        #expect(text.contains("heartguard_db_slow_queries_total{stage=\"pool\"} 0\n"))
        #expect(text.contains("# TYPE heartguard_db_pool_utilisation_ratio gauge\n"))
        #expect(text.contains("heartguard_store_up{store=\"postgres\"} 0\n"))
        #expect(text.contains("heartguard_cache_looks_total{cache=\"users.profile\",tier=\"local\",outcome=\"hit\"} 0\n"))
        #expect(text.contains("heartguard_cache_served_stale_total{cache=\"users.profile\"} 0\n"))
        #expect(text.contains("heartguard_cache_too_large_total{cache=\"users.profile\"} 0\n"))
        #expect(text.contains("heartguard_jobs_due{queue=\"arq:queue:vectors\",priority=\"high\"} 2\n"))
        #expect(text.contains("heartguard_jobs_oldest_age_seconds{queue=\"arq:queue:vectors\",priority=\"high\"} 1.5\n"))
        #expect(text.contains("heartguard_jobs_dead_letters{queue=\"arq:queue:vectors\"} 4\n"))
        #expect(text.contains("heartguard_outbox_waiting{queue=\"arq:queue:vectors\"} 5\n"))
        #expect(text.contains("heartguard_jobs_runs_total{queue=\"arq:queue:vectors\",outcome=\"done\"} 0\n"))
    }

    @Test func `has each cache with what its tiers have done, to whoever asks over the contract`() async throws {
        var statistics = CacheStatistics()
        (statistics.local.hits, statistics.local.misses) = (3, 1)
        statistics.shared.failures = 1
        statistics.shared.latency = CacheStatistics.Latency(samples: 2, mean: .milliseconds(1), p95: .seconds(1))
        (statistics.loads, statistics.failedLoads, statistics.joined, statistics.servedStale) = (4, 5, 6, 7)
        (statistics.evictions, statistics.localEntries) = (8, 9)
        (statistics.bytesBefore, statistics.bytesAfter) = (50_000, 300)
        let monitors = Monitors(
            database: DatabaseMonitors(logger: Logger(label: "test")), pools: ConnectionPoolMonitor([]),
            health: DatabaseHealthChecker(checks: []), caches: { [statistics] in [("users.profile", statistics)] })

        let answer = try await MonitoringService(monitors: monitors).listCaches(
            .init(), context: RPCContext(method: MonitoringV1.MonitoringServiceMethods.listCaches.descriptor))

        // What was not asked has no hit rate, and what was not timed has no latency.
        let expected = MonitoringV1.Cache(
            name: "users.profile",
            local: MonitoringV1.CacheTier(hits: 3, misses: 1, hitRate: 0.75),
            shared: MonitoringV1.CacheTier(
                failures: 1,
                latency: MonitoringV1.CacheLatency(samples: 2, mean: .init(nanos: 1_000_000), p95: .init(seconds: 1))),
            loads: 4, failedLoads: 5, joined: 6, servedStale: 7, evictions: 8, entries: 9, valueBytes: 50_000, storedBytes: 300)
        #expect(answer.caches == [expected])
    }
}
