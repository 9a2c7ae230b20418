internal import Contracts
internal import RPC

/// grpc.reflection.v1 over the contracts that the program was built with. It lists the services that this program
/// serves, itself among them, and resolves every symbol of theirs.
struct ReflectionService: GRPCReflectionV1.ServerReflectionProtocol {
    private static let index = DescriptorIndex(fileDescriptorSet: ContractRegistry.fileDescriptorSet)
    private let services: [String]

    init(serving services: Set<String>) {
        self.services = services.union([Self.serviceName, ReflectionV1Alpha.serviceName]).sorted()
    }

    func serverReflectionInfo(
        _ requests: RequestStream<GRPCReflectionV1.ServerReflectionRequest>,
        responses: ResponseWriter<GRPCReflectionV1.ServerReflectionResponse>,
        context: RPCContext
    ) async throws {
        for try await request in requests {
            var response = GRPCReflectionV1.ServerReflectionResponse()
            response.validHost = request.host
            response.originalRequest = request
            response.messageResponse = answer(request)
            try await responses.write(response)
        }
    }

    private func answer(
        _ request: GRPCReflectionV1.ServerReflectionRequest
    ) -> GRPCReflectionV1.ServerReflectionResponse.OneOf_MessageResponse {
        switch request.messageRequest {
        case .listServices:
            return .listServicesResponse(.init(service: services.map { .init(name: $0) }))
        case .fileByFilename(let name):
            return files(name, orError: "There is no file of that name.")
        case .fileContainingSymbol(let symbol):
            return files(Self.index.file(ofSymbol: symbol), orError: "There is no such symbol.")
        case .fileContainingExtension(let wanted):
            let file = Self.index.file(ofExtension: Int(wanted.extensionNumber), of: wanted.containingType)
            return files(file, orError: "There is no such extension.")
        case .allExtensionNumbersOfType(let type):
            guard let numbers = Self.index.extensionNumbers(of: type) else {
                return error(.notFound, "There is no such message.")
            }
            return .allExtensionNumbersResponse(
                .init(baseTypeName: type, extensionNumber: numbers.map { Int32(clamping: $0) }))
        case nil:
            return error(.invalidArgument, "The request asks for nothing that this server knows.")
        }
    }

    private func files(
        _ name: String?, orError sentence: String
    ) -> GRPCReflectionV1.ServerReflectionResponse.OneOf_MessageResponse {
        guard let name, let files = Self.index.closure(ofFile: name) else { return error(.notFound, sentence) }
        return .fileDescriptorResponse(.init(fileDescriptorProto: files))
    }

    private func error(
        _ code: StatusCode, _ sentence: String
    ) -> GRPCReflectionV1.ServerReflectionResponse.OneOf_MessageResponse {
        .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: sentence))
    }
}

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
