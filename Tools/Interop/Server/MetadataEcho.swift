internal import RPC

/// "Echo Metadata": sends back what came under two names, one ahead of the answer and one behind it.
struct MetadataEcho: ServerInterceptor {
    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        let (initial, trailing) = ("x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin")
        if let value = context.metadata[initial] { context.responseMetadata.set(initial, value) }
        if let value = context.metadata[trailing] { context.trailingMetadata.set(trailing, value) }
        try await next(context)
    }
}
