internal import RPC

/// Turns whatever a handler throws into the status that its caller reads.
struct ErrorMapping: ServerInterceptor {
    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        do {
            try await next(context)
        } catch {
            throw RPCError.answering(error)
        }
    }
}
