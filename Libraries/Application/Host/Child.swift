internal import ServiceLifecycle

/// One part of a running program: what it does, and what asks it to finish.
struct Child: Service {
    let name: String
    let body: @Sendable () async throws -> Void
    /// Called once when the program is asked to stop; nil: the body is cancelled instead.
    var finish: (@Sendable () -> Void)?

    func run() async throws {
        if let finish {
            try await withGracefulShutdownHandler(operation: body, onGracefulShutdown: finish)
        } else {
            try await cancelWhenGracefulShutdown(body)
        }
    }
}
