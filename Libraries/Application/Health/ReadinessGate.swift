internal import RPC
internal import Synchronization

/// Keeps calls out until everything that the service needs has been there once.
///
/// It opens for good: later trouble with a store shows in the calls that need it, and only in those.
final class ReadinessGate: ServerInterceptor {
    private let isOpen = Atomic(false)
    private let health: HealthReporter

    init(health: HealthReporter) { self.health = health }

    func open() { isOpen.store(true, ordering: .releasing) }

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        // Health and reflection answer from the start.
        if !isOpen.load(ordering: .acquiring), !context.method.service.hasPrefix("grpc."),
            case .notServing(let reason) = health.status
        {
            throw RPCError.unavailable("The service is not ready. \(reason)")
        }
        try await next(context)
    }
}
