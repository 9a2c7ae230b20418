import RPC
import Time

/// A method and records of its calls, for tests that need no server.
enum Calls {
    static let find = MethodDescriptor(
        service: "test.Things", name: "Find", kind: .unary, policy: MethodPolicy(access: .anyone))

    static func record(
        _ error: RPCError? = nil, took duration: Duration = .microseconds(100), request: Int = 10, response: Int = 20,
        trace: TraceContext = .make()
    ) -> CallRecord {
        CallRecord(
            context: RPCContext(method: find, trace: trace), peer: "ipv4:10.0.0.7:1", error: error, duration: duration,
            requestBytes: request, responseBytes: response)
    }
}
