internal import ServiceLifecycle

/// A server of a program beside its gRPC server. Both are asked to finish at the same time, this one by the graceful shutdown of its task
/// (ServiceLifecycle's): it takes nothing new and ends what runs. What has not ended by then is cancelled.
struct Door: Sendable {
    let body: @Sendable () async throws -> Void
    let drainTimeout: Duration

    func run() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: drainTimeout)
                return false
            }
            let hasFinished = try await group.next() ?? true
            group.cancelAll()
            if hasFinished { return }
            // Its time is over, and that is all that it has to say.
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }
}
