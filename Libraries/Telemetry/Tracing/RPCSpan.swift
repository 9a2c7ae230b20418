internal import RPC
internal import Tracing

/// What a span says of a call, under the names of OpenTelemetry's conventions for gRPC: its method and its status, and
/// nothing that its messages held. An error's text is left out too, since nobody can say of each what it quotes.
enum RPCSpan {
    static func begin(_ method: MethodDescriptor, on span: any Span) {
        span.attributes["rpc.system.name"] = "grpc"
        span.attributes[OTelName.methodAttribute] = OTelName.method(method)
    }

    static func end(_ error: (any Error)?, isFailure: (StatusCode) -> Bool, on span: any Span) {
        let code = error.map { RPCError(caught: $0).code } ?? .ok
        span.attributes[OTelName.statusAttribute] = code.name
        if isFailure(code) {
            span.attributes["error.type"] = code.name
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
    }

    /// A server has failed only where the fault may be its own.
    static func isServerFailure(_ code: StatusCode) -> Bool {
        switch code {
        case .unknown, .deadlineExceeded, .unimplemented, .internalError, .unavailable, .dataLoss: true
        default: false
        }
    }
}
