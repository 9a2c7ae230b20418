internal import RPC
internal import Synchronization

/// Keeps calls out until everything that the service needs has been there once.
///
/// It opens for good: later trouble with a store shows in the calls that need it, and only in those. A program that has
/// just started lets calls wait a little instead of refusing them, so that a restart costs its callers time and no calls.
final class ReadinessGate: ServerInterceptor {
    private let isOpen = Atomic(false)
    private let health: HealthReporter
    private let started = ContinuousClock.now
    private let patience: Duration

    /// `patience` is how long after the start calls wait.
    init(health: HealthReporter, patience: Duration = .seconds(5)) {
        self.health = health
        self.patience = patience
    }

    func open() { isOpen.store(true, ordering: .releasing) }

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        // Health and reflection answer from the start.
        if !isOpen.load(ordering: .acquiring), !context.method.service.hasPrefix("grpc.") { try await wait() }
        try await next(context)
    }

    private func wait() async throws {
        while !isOpen.load(ordering: .acquiring) {
            guard started.duration(to: .now) < patience else {
                guard case .notServing(let reason) = health.status else { return }
                throw RPCError.unavailable("The service is not ready. \(reason)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
