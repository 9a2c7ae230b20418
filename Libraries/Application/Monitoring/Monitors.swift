internal import Cache
internal import ConnectionPool
internal import Postgres
internal import Telemetry

extension Postgres {
    /// Its pools of connections, by the names that operators read.
    var pools: [ConnectionPoolMonitor.Pool] { pools(named: "postgres") }

    func pools(named name: String) -> [ConnectionPoolMonitor.Pool] {
        var pools = [ConnectionPoolMonitor.Pool(name: name) { self.statistics }]
        if let replicas = replicaStatistics {
            pools.append(.init(name: "\(name)_replicas") { self.replicaStatistics ?? replicas })
        }
        return pools
    }
}

/// What a program knows of its stores and of its work with them.
struct Monitors: Sendable {
    let database: DatabaseMonitors
    let pools: ConnectionPoolMonitor
    let health: DatabaseHealthChecker
    /// What each cache has done, by name.
    var caches: @Sendable () -> [(cache: String, statistics: CacheStatistics)] = { [] }
    /// What the program alone knows.
    var published = PublishedMetrics()

    /// All of it in Prometheus' text format, or that of OpenMetrics.
    func prometheusText(_ format: PrometheusText.Format = .prometheus) -> String {
        var text = PrometheusText(format)
        writeStatements(to: &text)
        writePools(to: &text)
        writeStores(to: &text)
        writeCaches(to: &text)
        published.write(to: &text)
        return text.text
    }

    private func writeStatements(to text: inout PrometheusText) {
        let statements = database.performance.snapshot()
        let duration = "heartguard_db_statement_duration_seconds"
        text.family(duration, .histogram, help: "How long the round trips of each statement took, by its fingerprint.")
        for statement in statements {
            text.histogram(duration, [("fingerprint", "\(statement.fingerprint)")], statement.durations, statement.exemplars)
        }
        let failures = "heartguard_db_statement_failures_total"
        text.family(failures, .counter, help: "Round trips of each statement that failed.")
        for statement in statements {
            text.sample(failures, [("fingerprint", "\(statement.fingerprint)")], statement.failures)
        }
        let slow = "heartguard_db_slow_queries_total"
        text.family(slow, .counter, help: "Round trips that took 100 ms or longer, by what took the time.")
        for stage in SlowQuery.Stage.allCases {
            text.sample(slow, [("stage", stage.rawValue)], database.slowQueries.count(stage))
        }
    }

    private func writePools(to text: inout PrometheusText) {
        let reports = pools.reports()
        func gauge(_ name: String, _ help: String, _ value: (ConnectionPoolReport) -> Double) {
            text.family(name, .gauge, help: help)
            for report in reports { text.sample(name, [("pool", report.name)], value(report)) }
        }
        gauge("heartguard_db_pool_active_connections", "Connections that are lent.") { Double($0.statistics.lent) }
        gauge("heartguard_db_pool_idle_connections", "Connections that nobody needs.") { Double($0.statistics.idle) }
        gauge("heartguard_db_pool_connections", "Connections, however they are used.") { Double($0.statistics.open) }
        gauge("heartguard_db_pool_max_connections", "Connections that there may be.") { Double($0.statistics.limit) }
        gauge("heartguard_db_pool_waiting_callers", "Callers that wait for a connection.") { Double($0.statistics.waiting) }
        gauge("heartguard_db_pool_utilisation_ratio", "Lent connections over those that there may be.") { $0.utilisation }
    }

    private func writeCaches(to text: inout PrometheusText) {
        let caches = caches()
        let looks = "heartguard_cache_looks_total"
        text.family(looks, .counter, help: "Looks into each tier of each cache, by what came of them.")
        for (cache, statistics) in caches {
            for (tier, counts) in [("local", statistics.local), ("shared", statistics.shared)] {
                for (outcome, count) in [("hit", counts.hits), ("miss", counts.misses), ("failure", counts.failures)] {
                    text.sample(looks, [("cache", cache), ("tier", tier), ("outcome", outcome)], UInt64(count))
                }
            }
        }
        func total(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: (CacheStatistics) -> Int) {
            text.family(name, kind, help: help)
            for (cache, statistics) in caches { text.sample(name, [("cache", cache)], UInt64(value(statistics))) }
        }
        let mean = "heartguard_cache_latency_mean_seconds", p95 = "heartguard_cache_latency_p95_seconds"
        for (name, help, figure) in [
            (mean, "How long a look into a tier takes, or a fetch.", \CacheStatistics.Latency.mean),
            (p95, "The same, of the slowest twentieth at least.", \CacheStatistics.Latency.p95),
        ] {
            text.family(name, .gauge, help: help)
            for (cache, statistics) in caches {
                let tiers = [("local", statistics.local.latency), ("shared", statistics.shared.latency), ("load", statistics.loadLatency)]
                for (tier, latency) in tiers where latency.samples > 0 {
                    text.sample(name, [("cache", cache), ("tier", tier)], latency[keyPath: figure] / .seconds(1))
                }
            }
        }
        total("heartguard_cache_loads_total", .counter, "Values fetched from where they come from.") { $0.loads }
        total("heartguard_cache_failed_loads_total", .counter, "Fetches that failed.") { $0.failedLoads }
        total("heartguard_cache_joined_total", .counter, "Callers that waited for what another fetched.") { $0.joined }
        total("heartguard_cache_served_stale_total", .counter, "Values served stale while they were fetched anew.") { $0.servedStale }
        total("heartguard_cache_too_large_total", .counter, "Values that were fetched and were too large to be kept.") { $0.tooLarge }
        total("heartguard_cache_evictions_total", .counter, "Entries that had to go from memory for others.") { $0.evictions }
        total("heartguard_cache_entries", .gauge, "Entries in memory.") { $0.localEntries }
        total("heartguard_cache_value_bytes_total", .counter, "Bytes of values kept in Redis, before packing.") { $0.bytesBefore }
        total("heartguard_cache_stored_bytes_total", .counter, "The same, as they were stored.") { $0.bytesAfter }
    }

    private func writeStores(to text: inout PrometheusText) {
        let reports = health.reports
        text.family("heartguard_store_up", .gauge, help: "Whether the store answered when it was last asked.")
        for report in reports {
            text.sample("heartguard_store_up", [("store", report.store)], UInt64(report.problem == nil ? 1 : 0))
        }
        text.family("heartguard_store_latency_seconds", .gauge, help: "How long the store took to answer when it was last asked.")
        for report in reports {
            text.sample("heartguard_store_latency_seconds", [("store", report.store)], report.latency / .seconds(1))
        }
    }
}
