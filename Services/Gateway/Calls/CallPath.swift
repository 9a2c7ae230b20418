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

    /// What went in and came out of a call.
    private struct Exchange {
        var requestBytes = 0
        var answer: [UInt8] = []
    }

    /// Runs the endpoint behind the interceptors, within the method's time limit, and returns its answer's bytes. The
    /// request is read behind them too: nothing of it is held for a caller who is not let in, and one that cannot be read is a call
    /// that failed like any other.
    func answer(
        at endpoint: Endpoint, _ context: RPCContext, _ read: @escaping @Sendable () async throws -> [UInt8]
    ) async throws(RPCError) -> [UInt8] {
        let began = ContinuousClock.now
        let exchange = Mutex(Exchange())
        var failure: RPCError?
        do {
            try await CurrentTask.$scope.withValue(context.scope) {
                try await Self.go(interceptors[...], context) { context in
                    guard let respond = endpoint.answer else { throw RPCError(.unimplemented, "This door carries no streams.") }
                    let request = try await read()
                    exchange.withLock { $0.requestBytes = request.count }
                    let answer = try await respond(request, context)
                    exchange.withLock { $0.answer = answer }
                }
            }
        } catch {
            failure = RPCError.answering(error)
        }
        let ended = exchange.withLock { $0 }
        let record = CallRecord(
            context: context, peer: context.peer, error: failure, duration: began.duration(to: .now),
            requestBytes: ended.requestBytes, responseBytes: failure == nil ? ended.answer.count : 0)
        for meter in meters[endpoint.descriptor] ?? [] { meter.ended(record) }
        if let failure { throw failure }
        return ended.answer
    }

    private static func go(
        _ interceptors: ArraySlice<any ServerInterceptor>, _ context: RPCContext,
        _ body: @escaping @Sendable (RPCContext) async throws -> Void
    ) async throws {
        guard let first = interceptors.first else { return try await body(context) }
        try await first.intercept(context) { try await go(interceptors.dropFirst(), $0, body) }
    }
}
