import Contracts
import RPC

/// One method that callers reach through the Gateway: bytes in, bytes out, whoever answers it.
struct Endpoint: Sendable {
    let method: AnyContractMethod
    let answer: @Sendable (_ request: [UInt8], RPCContext) async throws -> [UInt8]
    /// Of a method that is answered with a stream, which only the gRPC door has.
    var stream: (@Sendable (_ request: [UInt8], ResponseWriter<RawMessage>, RPCContext) async throws -> Void)?

    var descriptor: MethodDescriptor { method.descriptor }
}

/// Every method of the contracts: the services' go on to them, the Gateway's own is answered here.
struct Endpoints: Sendable {
    let all: [Endpoint]

    init(backends: Backends, overview: PatientOverview) {
        all = ContractRegistry.methods.compactMap { method in
            // What is between services is asked of the service itself: passed on, it would come from the Gateway.
            if method.descriptor.policy.access == .service { return nil }
            if let backend = Backend(serving: method.descriptor) {
                var endpoint = Endpoint(method: method) { request, context in
                    try await backends.forward(request, to: backend, context)
                }
                if method.descriptor.kind == .serverStreaming {
                    endpoint.stream = { request, responses, context in
                        try await backends.forwardStream(request, to: backend, responses, context)
                    }
                }
                return endpoint
            }
            guard method.descriptor.path == Self.overviewPath else {
                return nil
            }
            return Endpoint(method: method) { request, context in
                let request = try GatewayV1.GetPatientOverviewRequest(decoding: request)
                return try await overview.answer(request, context: context).serialized()
            }
        }
    }
}

extension Endpoints {
    /// Whether what a method answers comes from services alone, each of which checks the caller's session by itself.
    static func areAnsweredByServices(_ method: MethodDescriptor) -> Bool {
        Backend(serving: method) != nil || method.path == overviewPath
    }

    private static var overviewPath: String { GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor.path }
}

/// The gRPC door: every endpoint under its own name, its messages unread.
struct EndpointService: RPCService {
    static let serviceName = GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor.service
    let handlers: [MethodHandler]

    init(_ endpoints: Endpoints) {
        handlers = endpoints.all.map { endpoint in
            if let stream = endpoint.stream {
                return .serverStreaming(Method<RawMessage, RawMessage>(endpoint.descriptor)) { request, responses, context in
                    try await stream(request.bytes, responses, context)
                }
            }
            return .unary(Method<RawMessage, RawMessage>(endpoint.descriptor)) { request, context in
                RawMessage(try await endpoint.answer(request.bytes, context))
            }
        }
    }
}
