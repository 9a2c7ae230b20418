import Application
import Contracts
import RPC
import Resilience
import Telemetry

/// The Gateway put together: channels to the services, one way for every call, and two doors to it.
struct GatewayApplication: Sendable {
    let configuration: GatewayConfiguration
    /// See `JSONFront`.
    private let patience: Duration

    init(_ configuration: GatewayConfiguration, patience: Duration = .seconds(60)) {
        self.configuration = configuration
        self.patience = patience
    }

    /// Runs until the program is asked to stop. The callback tells where the doors are once both are open.
    func run(
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        let host = try ServiceHost(configuration.common, isPassedOn: Endpoints.areAnsweredByServices)
        let guards = BackendGuards(configuration.guards, redis: host.durable)
        let around: [any ClientInterceptor] =
            (ClientTracing().map { [$0] } ?? []) + [ClientMetrics(factory: host.metrics)]
        let backends = Backends(configuration, logger: host.logger) { around + [guards[$0]] }
        let overview = PatientOverview(backends: backends, caches: host.caches)
        let endpoints = Endpoints(backends: backends, overview: overview)
        let limits = CallLimits(configuration, redis: host.cache)
        let intake = AuditIntake(backends: backends, answers: guards.answers)
        host.audit.lead { event async throws(RPCError) in try await intake.record(event) }
        let interceptors: [any ServerInterceptor] = [
            limits.interceptor, CallAudit(host.audit) { Backend(serving: $0) == nil }, ForwardedFields(),
        ]
        let json = JSONFront(
            routes: RouteTable(endpoints.all),
            path: CallPath(endpoints, interceptors: host.interceptors + interceptors, observers: host.observers),
            health: host.health,
            configuration: configuration,
            logger: host.logger,
            patience: patience)
        host.published.add { limits.write(to: &$0) }
        host.published.add { guards.write(to: &$0) }

        try await host.run(
            services: [EndpointService(endpoints)],
            interceptors: interceptors,
            background: backends.channels.map { channel in { @Sendable in await channel.run() } } + [
                { await limits.shares.run() }, { await guards.breakers.run() },
            ],
            doors: [{ try await json.run() }],
            stopSignals: stopSignals,
            onListening: onListening)
    }
}
