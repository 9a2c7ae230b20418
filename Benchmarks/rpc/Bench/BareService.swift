internal import BenchmarkContracts
internal import Contracts
internal import RPC

/// Hands back the bytes of a request, whatever they say.
struct BareService: RPCService {
    static var serviceName: String { "grpc.testing.BenchmarkService" }

    static let unaryCall = Method<RawMessage, RawMessage>(GRPCTesting.BenchmarkServiceMethods.unaryCall.descriptor)
    static let streamingFromServer = Method<RawMessage, RawMessage>(
        GRPCTesting.BenchmarkServiceMethods.streamingFromServer.descriptor)

    var handlers: [MethodHandler] {
        [
            .unary(Self.unaryCall) { request, _ in request },
            .serverStreaming(Self.streamingFromServer) { request, responses, _ in
                for _ in 0..<FullService.messagesPerStream { try await responses.write(request) }
            },
        ]
    }
}
