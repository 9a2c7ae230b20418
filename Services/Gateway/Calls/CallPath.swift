import Application
import RPC
import Synchronization
import Time

/// The way of a call through the same interceptors as the gRPC server's, for a call that came in by another door. The
/// same observers hear of its end.
struct CallPath: Sendable {
    private let interceptors: [any ServerInterceptor]
    private let meters: [MethodDescriptor: [any CallMeter]]

    init(_ endpoints: Endpoints, interceptors: [any ServerInterceptor], observers: [any RPCObserver]) {
        self.interceptors = interceptors
        meters = Dictionary(
            uniqueKeysWithValues: endpoints.all.map { endpoint in
                (endpoint.descriptor, observers.map { $0.meter(of: endpoint.descriptor) })
            })
    }

    /// Runs the endpoint behind the interceptors, within the method's time limit, and returns its answer's bytes. The
    /// request is read inside, so that one that cannot be read is a call that failed like any other.
    func answer(
        at endpoint: Endpoint, _ context: RPCContext, _ read: @Sendable () async throws -> [UInt8]
    ) async throws(RPCError) -> [UInt8] {
        let began = ContinuousClock.now
        var request: [UInt8] = []
        var answer: [UInt8] = []
        var failure: RPCError?
        do {
            request = try await read()
            answer = try await run(request, at: endpoint, context)
        } catch {
            failure = RPCError.answering(error)
        }
        let record = CallRecord(
            context: context, peer: context.peer, error: failure, duration: began.duration(to: .now),
            requestBytes: request.count, responseBytes: answer.count)
        for meter in meters[endpoint.descriptor] ?? [] { meter.ended(record) }
        if let failure { throw failure }
        return answer
    }

    private func run(_ request: [UInt8], at endpoint: Endpoint, _ context: RPCContext) async throws -> [UInt8] {
        let answer = Mutex<[UInt8]>([])
        try await CurrentTask.$scope.withValue(context.scope) {
            try await Self.go(interceptors[...], context) { context in
                guard let respond = endpoint.answer else { throw RPCError(.unimplemented, "This door carries no streams.") }
                let bytes = try await respond(request, context)
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
