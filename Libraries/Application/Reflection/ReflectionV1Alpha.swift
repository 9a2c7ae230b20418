internal import Contracts
internal import RPC

/// grpc.reflection.v1alpha, which PyPI's and other older clients ask for: the same service under its first name, with
/// messages that are the same bytes.
struct ReflectionV1Alpha: RPCService {
    static var serviceName: String { "grpc.reflection.v1alpha.ServerReflection" }

    let service: ReflectionService

    private static let method = Method<
        GRPCReflectionV1.ServerReflectionRequest, GRPCReflectionV1.ServerReflectionResponse
    >(GRPCReflectionV1alpha.ServerReflectionMethods.serverReflectionInfo.descriptor)

    var handlers: [MethodHandler] {
        [
            .bidirectional(Self.method) { requests, responses, context in
                try await service.serverReflectionInfo(requests, responses: responses, context: context)
            }
        ]
    }
}
