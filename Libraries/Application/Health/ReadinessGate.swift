internal import RPC
internal import Synchronization
internal import Time

/// Keeps calls out until everything that the service needs has been there once.
///
/// It opens for good: later trouble with a store shows in the calls that need it, and only in those. A program that has
/// just started lets calls wait, nearly until their deadlines, so that a restart costs its callers time and no calls.
final class ReadinessGate: ServerInterceptor {
    private let isOpen = Atomic(false)
    private let health: HealthReporter
    private let started = ContinuousClock.now
    private let patience: Duration

    /// What is kept of a deadline to say why the call is refused.
    private static let reserve: Duration = .milliseconds(250)

    /// `patience` is how long after the start calls wait.
    init(health: HealthReporter, patience: Duration = .seconds(60)) {
        self.health = health
        self.patience = patience
    }

    func open() { isOpen.store(true, ordering: .releasing) }

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        if !isOpen.load(ordering: .acquiring), !ReadinessGate.answersFromTheStart(context.method.service) {
            try await wait(context.deadline)
        }
        try await next(context)
    }

    /// Health and reflection, and what tells an operator why the rest does not answer.
    private static func answersFromTheStart(_ service: String) -> Bool {
        service.hasPrefix("grpc.") || service.hasPrefix("heartguard.monitoring.")
    }

    private func wait(_ deadline: Deadline?) async throws {
        while !isOpen.load(ordering: .acquiring) {
            let mayWait = deadline.map { $0.remaining > ReadinessGate.reserve } ?? true
            guard mayWait, started.duration(to: .now) < patience else {
                guard case .notServing(let reason) = health.status else { return }
                throw RPCError.unavailable("The service is not ready. \(reason)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
