internal import Audit
package import Cache
internal import Contracts
package import Logging
package import Postgres
package import RPC
package import Redis
package import Resilience
package import Telemetry
internal import Schema
internal import ServiceLifecycle
internal import UnixSignals
internal import Tokens

/// What every service stands on: its stores, its health and its server, started in order and stopped in reverse.
///
/// Stores come first, then the service's own background work, then the server; on SIGTERM or SIGINT the server
/// refuses new calls and finishes those that run before anything under it goes.
package final class ServiceHost: Sendable {
    package let configuration: ServiceConfiguration
    package let logger: Logger
    package let durable: Redis
    package let cache: Redis
    /// What the caches of the program stand on.
    package let caches: CacheHub
    package let blocklist: TokenBlocklist
    package let health: HealthReporter
    /// What every call passes on its way to a handler, whichever door it came in by: the call's span, its errors turned
    /// into statuses, the gate that keeps calls out until the service is ready, who may call, and in a service that keeps records what puts each
    /// call on record, and what has one that is made again take effect once.
    package let interceptors: [any ServerInterceptor]
    /// What the program has counted.
    package let metrics: HDRMetrics
    /// What hears of every call's end, whichever door it came in by: its metrics and its log line.
    package let observers: [any RPCObserver]
    /// What else the program tells an operator.
    package let published = PublishedMetrics()
    /// Where the events of calls go. A program without a database says where (`lead(to:)`), and has its calls pass a `CallAudit` of its own.
    package let audit: AuditOutlet
    private let recorder: AuditRecorder?
    private let auditDatabase: Postgres?
    private let keptAnswers: KeptAnswers?
    private let gate: ReadinessGate
    private let database: Postgres?
    private let monitors: Monitors

    /// Throws when the token keys cannot be used; connects to nothing yet.
    ///
    /// - Parameter isPassedOn: see `Authentication`.
    package init(
        _ configuration: ServiceConfiguration, isPassedOn: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in false }
    ) throws {
        Allocator.keepMessageMemory()
        self.configuration = configuration
        var logger = Logger(label: "heartguard.\(configuration.service)") { label in
            var handler = JSONLogHandler(label: label)
            handler.metadataProvider = .trace
            return handler
        }
        logger.logLevel = configuration.logLevel
        self.logger = logger
        durable = Redis(configuration: configuration.durableRedis, logger: logger)
        cache = Redis(configuration: configuration.cacheRedis, logger: logger)
        caches = CacheHub(redis: cache, configuration: configuration.cacheRedis, logger: logger)
        let databaseMonitors = DatabaseMonitors(logger: logger)
        let replicas = configuration.postgresReplicas
        let database = configuration.postgres.map {
            Postgres(configuration: $0, replicas: replicas, logger: logger, observer: databaseMonitors)
        }
        self.database = database
        let auditDatabase = configuration.postgres.map {
            Postgres(configuration: $0.ofOneConnection, logger: logger, observer: databaseMonitors)
        }
        self.auditDatabase = auditDatabase
        var checks = [
            DatabaseHealthChecker.redis(durable, DatabaseHealthChecker.durableRedis),
            DatabaseHealthChecker.redis(cache, DatabaseHealthChecker.cacheRedis),
        ]
        if let database, replicas != nil { checks.append(.replicas(of: database)) }
        monitors = Monitors(
            database: databaseMonitors,
            pools: ConnectionPoolMonitor((database?.pools ?? []) + (auditDatabase?.pools(named: "postgres_audit") ?? [])),
            health: DatabaseHealthChecker(checks: checks),
            caches: { [caches] in caches.statistics },
            published: published)
        blocklist = TokenBlocklist(redis: durable)
        health = HealthReporter()
        gate = ReadinessGate(health: health)
        recorder = auditDatabase.map { AuditRecorder($0, logger: logger) }
        audit = AuditOutlet(recorder)
        let callAudit = CallAudit(audit)
        let authentication = Authentication(
            verifier: try TokenVerifier(jwks: configuration.jwks, issuer: configuration.tokenIssuer),
            sessions: SessionCheck(blocklist: blocklist, postgres: database), patients: PatientAccess(postgres: database),
            audit: callAudit, isPassedOn: isPassedOn)
        metrics = HDRMetrics()
        observers = CallObservers.standard(metrics: metrics, logger: logger)
        published.add { [metrics] in RPCMetrics.write(metrics, to: &$0) }
        published.add { [denials = callAudit.denials] in denials.write(to: &$0) }
        if let database, let role = ServiceRole(rawValue: configuration.service) {
            keptAnswers = KeptAnswers(postgres: database, schema: role.schema, life: configuration.answersAreKept, logger: logger)
        } else {
            keptAnswers = nil
        }
        let repeatedCalls = keptAnswers.map { RepeatedCalls($0) }
        let recording: [any ServerInterceptor] = recorder == nil ? [] : [callAudit]
        let repeating: [any ServerInterceptor] = repeatedCalls.map { [$0] } ?? []
        interceptors = CallInterceptors.standard() + [gate, authentication] + recording + repeating
        if let connections = configuration.server.connections { published.add { connections.write(to: &$0) } }
        if let recorder { published.add { recorder.counts.write(to: &$0) } }
        if let repeatedCalls { published.add { repeatedCalls.counts.write(to: &$0) } }
    }

    /// The service's database. A programmer's mistake in a service that was configured without one.
    package var postgres: Postgres {
        guard let database else { preconditionFailure("\(configuration.service) keeps no records") }
        return database
    }

    /// Runs until the program is asked to stop and the last call has ended.
    ///
    /// - Parameters:
    ///   - interceptors: The service's own, run after the caller is known.
    ///   - background: Work that lives as long as the server; it is cancelled to stop it.
    ///   - doors: Other servers of the program; see `Door`.
    ///   - readiness: What must hold, besides the database, its schema and the role there, before calls are let in.
    package func run(
        services: [any RPCService],
        interceptors: [any ServerInterceptor] = [],
        background: [@Sendable () async throws -> Void] = [],
        doors: [@Sendable () async throws -> Void] = [],
        readiness: [ReadinessCheck] = [],
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        let stores = monitors.health
        let checks = (database.map { [stores.observing(.postgres($0)), .schema($0, chain: Schema.chain), .role($0)] } ?? []) + readiness
        let methods = Dictionary(grouping: services.flatMap { $0.handlers.map(\.descriptor) }, by: \.service)
        let told = [TelemetryService.serviceName, MonitoringService.serviceName]
        let serviceHealth = ServiceHealth(
            program: health,
            services: methods.keys.map { ($0, .database) } + told.map { ($0, .nothing) }
                + (recorder == nil ? [] : [(AuditIntakeService.serviceName, .database)]))
        let monitor = ReadinessMonitor(checks: checks, health: health, gate: gate, logger: logger) { serviceHealth.update() }
        let names = serviceHealth.names
        let about: [any RPCService] = [
            HealthService(health: serviceHealth), TelemetryService(metrics: metrics), MonitoringService(monitors: monitors),
            ChannelzService(),
        ] + (recorder.map { [AuditIntakeService(recorder: $0)] } ?? [])
        let reflection = ReflectionService(serving: names.union(about.map { type(of: $0).serviceName }))
        let server = RPCServer(
            configuration: configuration.server,
            services: services + about + [reflection, ReflectionV1Alpha(service: reflection)],
            interceptors: self.interceptors + interceptors,
            observers: observers,
            logger: logger)

        var children: [Child] = []
        for database in [database, auditDatabase] {
            if let database { children.append(Child(name: "postgres") { await database.run() }) }
        }
        children.append(Child(name: "redis durable") { [durable] in await durable.run() })
        children.append(Child(name: "blocklist") { [blocklist] in await blocklist.run() })
        if let recorder { children.append(Child(name: "audit") { [durable] in await recorder.run(anchoringIn: durable) }) }
        if let keptAnswers { children.append(Child(name: "kept answers") { await keptAnswers.run() }) }
        children.append(Child(name: "redis cache") { [cache] in await cache.run() })
        children.append(Child(name: "caches") { [caches] in await caches.run() })
        children += background.map { Child(name: "background", body: $0) }
        children.append(Child(name: "readiness") { await monitor.run() })
        children.append(Child(name: "stores") { await stores.run() })
        if let endpoint = configuration.operatorEndpoint {
            let server = OperatorServer(endpoint: endpoint, health: health, logger: logger) { [monitors] in monitors.prometheusText($0) }
            children.append(Child(name: "operator port") { try await server.run() })
        }
        let others = doors.map { Door(body: $0, drainTimeout: configuration.server.drainTimeout) }
        children.append(
            Child(name: "server") { [logger] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await server.run { host, port in
                            logger.notice("listening", metadata: ["host": "\(host)", "port": "\(port)"])
                            onListening(host, port)
                        }
                    }
                    for door in others { group.addTask { try await door.run() } }
                    try await group.next()
                    // One that ends unasked takes the others along, and with them the program.
                    if !Task.isShuttingDownGracefully { group.cancelAll() }
                    try await group.waitForAll()
                }
            } finish: {
                // Those who watch would keep their connections, and with them the server.
                serviceHealth.close()
                server.beginGracefulShutdown()
            })

        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: children.map { child in
                    .init(
                        service: child, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: stopSignals ? [.sigterm, .sigint] : [],
                logger: logger))
        try await group.run()
    }
}
