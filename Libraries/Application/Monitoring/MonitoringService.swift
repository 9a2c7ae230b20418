internal import Cache
internal import ConnectionPool
internal import Contracts
internal import RPC
internal import Telemetry
internal import Time

/// Tells an operator how the program's stores are, and how it works with them.
struct MonitoringService: MonitoringV1.MonitoringServiceProtocol {
    let monitors: Monitors

    func listStatements(
        _ request: MonitoringV1.ListStatementsRequest, context: RPCContext
    ) async throws -> MonitoringV1.ListStatementsResponse {
        .init(statements: monitors.database.performance.snapshot().map { .init($0) })
    }

    func listSlowQueries(
        _ request: MonitoringV1.ListSlowQueriesRequest, context: RPCContext
    ) async throws -> MonitoringV1.ListSlowQueriesResponse {
        .init(queries: monitors.database.slowQueries.newest.map { .init($0) })
    }

    func listConnectionPools(
        _ request: MonitoringV1.ListConnectionPoolsRequest, context: RPCContext
    ) async throws -> MonitoringV1.ListConnectionPoolsResponse {
        .init(pools: monitors.pools.reports().map { .init($0) })
    }

    func listStoreHealth(
        _ request: MonitoringV1.ListStoreHealthRequest, context: RPCContext
    ) async throws -> MonitoringV1.ListStoreHealthResponse {
        .init(stores: monitors.health.reports.map { .init($0) })
    }

    func listCaches(
        _ request: MonitoringV1.ListCachesRequest, context: RPCContext
    ) async throws -> MonitoringV1.ListCachesResponse {
        .init(caches: monitors.caches().map { .init($0.cache, $0.statistics) })
    }
}

extension MonitoringV1.StatementPerformance {
    fileprivate init(_ statement: Telemetry.StatementPerformance) {
        let distribution = statement.durations.distribution
        self.init(
            fingerprint: "\(statement.fingerprint)", statement: statement.statement, failures: statement.failures,
            sum: distribution.sum, p50: distribution.p50, p95: distribution.p95, p99: distribution.p99, max: distribution.max,
            count: distribution.count, buckets: statement.durations.buckets.map { .init(value: $0.value, count: $0.count) })
    }
}

extension MonitoringV1.SlowQuery {
    fileprivate init(_ query: Telemetry.SlowQuery) {
        self.init(
            endedAt: .init(query.endedAt), duration: .init(nanosecondsOf: query.duration),
            fingerprints: query.fingerprints.map { "\($0)" },
            rpc: query.rpc.map { "\($0.service)/\($0.name)" } ?? "", traceId: query.traceID ?? "",
            stage: query.stage == .pool ? .pool : .server,
            waitedForConnection: .init(nanosecondsOf: query.waitedForConnection), waitedForServer: .init(nanosecondsOf: query.waitedForServer))
    }
}

extension MonitoringV1.ConnectionPool {
    fileprivate init(_ pool: ConnectionPoolReport) {
        let numbers = pool.statistics
        self.init(
            name: pool.name, active: UInt32(numbers.lent), idle: UInt32(numbers.idle), waiting: UInt32(numbers.waiting),
            total: UInt32(numbers.open), limit: UInt32(numbers.limit), utilisation: pool.utilisation)
    }
}

extension MonitoringV1.StoreHealth {
    fileprivate init(_ health: Application.StoreHealth) {
        self.init(
            store: health.store, isHealthy: health.problem == nil, problem: health.problem ?? "",
            latency: .init(nanosecondsOf: health.latency), askedAt: .init(health.askedAt), since: .init(health.since))
    }
}

extension MonitoringV1.Cache {
    fileprivate init(_ name: String, _ statistics: CacheStatistics) {
        self.init(
            name: name, local: .init(statistics.local), shared: .init(statistics.shared),
            loads: UInt64(statistics.loads), failedLoads: UInt64(statistics.failedLoads),
            loadLatency: MonitoringV1.CacheLatency(statistics.loadLatency),
            joined: UInt64(statistics.joined), servedStale: UInt64(statistics.servedStale),
            evictions: UInt64(statistics.evictions), entries: UInt64(statistics.localEntries),
            valueBytes: UInt64(statistics.bytesBefore), storedBytes: UInt64(statistics.bytesAfter))
    }
}

extension MonitoringV1.CacheTier {
    fileprivate init(_ tier: CacheStatistics.Tier) {
        self.init(
            hits: UInt64(tier.hits), misses: UInt64(tier.misses), failures: UInt64(tier.failures), hitRate: tier.hitRate,
            latency: MonitoringV1.CacheLatency(tier.latency))
    }
}

extension MonitoringV1.CacheLatency {
    /// `nil` while nothing was timed.
    fileprivate init?(_ latency: CacheStatistics.Latency) {
        guard latency.samples > 0 else { return nil }
        self.init(
            samples: UInt64(latency.samples), mean: .init(nanosecondsOf: latency.mean), p95: .init(nanosecondsOf: latency.p95))
    }
}

extension GoogleProtobuf.Duration {
    /// To the nanosecond.
    fileprivate init(nanosecondsOf duration: Swift.Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
