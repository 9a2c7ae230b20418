import Contracts
import RPC

/// One method that callers reach through the Gateway, whoever answers it. Its messages are bytes here, unread.
struct Endpoint: Sendable {
    typealias Answer = @Sendable (_ request: [UInt8], RPCContext) async throws -> [UInt8]

    let method: AnyContractMethod
    /// For the gRPC door.
    let handler: MethodHandler
    /// How its one request is answered; `nil` for a method of streams, which only the gRPC door carries.
    let answer: Answer?

    var descriptor: MethodDescriptor { method.descriptor }

    init(_ method: AnyContractMethod, answer: @escaping Answer) {
        self.method = method
        self.answer = answer
        handler = .unary(Method<RawMessage, RawMessage>(method.descriptor)) { request, context in
            guard request.bytes.count <= method.descriptor.maxRequestBytes else { throw RPCError.requestTooLarge(for: method.descriptor) }
            return RawMessage(try await answer(request.bytes, context))
        }
    }

    private init(_ method: AnyContractMethod, handler: MethodHandler) {
        self.method = method
        self.handler = handler
        answer = nil
    }

    /// A method whose calls go on to a service.
    static func passedOn(_ method: AnyContractMethod, to backend: Backend, _ backends: Backends) -> Endpoint {
        guard method.descriptor.kind == .unary else {
            return Endpoint(method, handler: backends[backend].relaying(method.descriptor))
        }
        return Endpoint(method) { request, context in try await backends.forward(request, to: backend, context) }
    }
}

/// Every method of the contracts: the services' go on to them, the Gateway's own are answered here.
struct Endpoints: Sendable {
    let all: [Endpoint]

    init(backends: Backends, overview: PatientOverview) {
        let contexts = ContextBuilder(backends: backends)
        let own: [String: Endpoint.Answer] = [
            Self.overviewPath: { request, context in
                let request = try GatewayV1.GetPatientOverviewRequest(decoding: request)
                return try await overview.answer(request, context: context).serialized()
            },
            Self.contextPath: { request, context in
                let request = try GatewayV1.BuildContextRequest(decoding: request)
                return try await contexts.answer(request, context: context).serialized()
            },
        ]
        all = ContractRegistry.methods.compactMap { method in
            // What is between services is asked of the service itself: passed on, it would come from the Gateway.
            if method.descriptor.policy.access == .service { return nil }
            if let backend = Backend(serving: method.descriptor) { return .passedOn(method, to: backend, backends) }
            return own[method.descriptor.path].map { Endpoint(method, answer: $0) }
        }
    }
}

extension Endpoints {
    /// Whether what a method answers comes from services alone, each of which checks the caller's session by itself.
    static func areAnsweredByServices(_ method: MethodDescriptor) -> Bool {
        Backend(serving: method) != nil || method.path == overviewPath || method.path == contextPath
    }

    private static var overviewPath: String { GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor.path }
    private static var contextPath: String { GatewayV1.ContextServiceMethods.buildContext.descriptor.path }
}

/// The gRPC door: every endpoint under its own name, its messages unread.
struct EndpointService: RPCService {
    static let serviceName = GatewayV1.GatewayServiceMethods.getPatientOverview.descriptor.service
    let handlers: [MethodHandler]

    init(_ endpoints: Endpoints) {
        handlers = endpoints.all.map(\.handler)
    }
}
