import Application
import Contracts
import RPC
import Resilience
import Telemetry

/// The Gateway put together: channels to the services, one way for every call, and two doors to it.
struct GatewayApplication: Sendable {
    let configuration: GatewayConfiguration

    init(_ configuration: GatewayConfiguration) { self.configuration = configuration }

    /// Runs until the program is asked to stop. The callback tells where the doors are once both are open.
    func run(onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }) async throws {
        let host = try ServiceHost(configuration.common)
        let tracing: [any ClientInterceptor] = ClientTracing().map { [$0] } ?? []
        let backends = Backends(
            configuration, interceptors: tracing + [ClientMetrics(factory: host.metrics)], logger: host.logger)
        let overview = PatientOverview(backends: backends)
        let endpoints = Endpoints(backends: backends, overview: overview)
        let limiter = RateLimiting(
            signedIn: GCRALimiter(
                redis: host.cache, limit: RateLimit(units: configuration.limits.signedIn, window: configuration.limits.window), name: "u"),
            anonymous: GCRALimiter(
                redis: host.cache, limit: RateLimit(units: configuration.limits.anonymous, window: configuration.limits.window), name: "a"))
        let json = JSONFront(
            routes: RouteTable(endpoints.all),
            path: CallPath(endpoints, interceptors: host.interceptors + [limiter], observers: host.observers),
            health: host.health,
            configuration: configuration,
            logger: host.logger)

        try await host.run(
            services: [EndpointService(endpoints)],
            interceptors: [limiter],
            background: backends.channels.map { channel in { @Sendable in await channel.run() } } + [{ try await json.run() }],
            onListening: onListening)
    }
}
