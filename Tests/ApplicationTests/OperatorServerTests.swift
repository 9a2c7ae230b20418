import Cache
import Jobs
import Logging
import Telemetry
import TestSupport
import Testing

@testable import Application

@Suite struct `The operator's port` {
    private func withServer(_ body: (_ port: Int) async throws -> Void) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = OperatorServer(endpoint: OperatorEndpoint(host: "127.0.0.1", port: 0), logger: Logger(label: "test")) {
            var text = PrometheusText()
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
            #expect(answer.contains("content-type: \(PrometheusText.contentType)"))
            #expect(answer.hasSuffix("a_metric 1"))
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
        #expect(text.contains("heartguard_jobs_due{queue=\"arq:queue:vectors\",priority=\"high\"} 2\n"))
        #expect(text.contains("heartguard_jobs_oldest_age_seconds{queue=\"arq:queue:vectors\",priority=\"high\"} 1.5\n"))
        #expect(text.contains("heartguard_jobs_dead_letters{queue=\"arq:queue:vectors\"} 4\n"))
        #expect(text.contains("heartguard_outbox_waiting{queue=\"arq:queue:vectors\"} 5\n"))
        #expect(text.contains("heartguard_jobs_runs_total{queue=\"arq:queue:vectors\",outcome=\"done\"} 0\n"))
    }
}
