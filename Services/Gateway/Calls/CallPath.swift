import RPC
import Synchronization
import Time

/// The way of a call through the same interceptors as the gRPC server's, for a call that came in by another door.
struct CallPath: Sendable {
    let interceptors: [any ServerInterceptor]

    /// Runs the endpoint behind the interceptors, within the method's time limit, and returns its answer's bytes.
    func answer(_ request: [UInt8], at endpoint: Endpoint, _ context: RPCContext) async throws -> [UInt8] {
        let answer = Mutex<[UInt8]>([])
        try await Deadline.$current.withValue(context.deadline) {
            try await Self.go(interceptors[...], context) { context in
                let bytes = try await endpoint.answer(request, context)
                answer.withLock { $0 = bytes }
            }
        }
        return answer.withLock { $0 }
    }

    private static func go(
        _ interceptors: ArraySlice<any ServerInterceptor>, _ context: RPCContext,
        _ body: @escaping @Sendable (RPCContext) async throws -> Void
    ) async throws {
        guard let first = interceptors.first else { return try await body(context) }
        try await first.intercept(context) { try await go(interceptors.dropFirst(), $0, body) }
    }
}
