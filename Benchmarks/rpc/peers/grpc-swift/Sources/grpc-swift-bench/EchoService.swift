import GRPCCore

/// Hands bytes on unread in both directions.
struct BytesCoding: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] { bytes.withUnsafeBytes { [UInt8]($0) } }
}

struct EchoService: RegistrableRPCService {
    static let unaryCall = MethodDescriptor(fullyQualifiedService: "grpc.testing.BenchmarkService", method: "UnaryCall")
    static let streamingFromServer = MethodDescriptor(
        fullyQualifiedService: "grpc.testing.BenchmarkService", method: "StreamingFromServer")
    static let messagesPerStream = 1_000

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(forMethod: Self.unaryCall, deserializer: BytesCoding(), serializer: BytesCoding()) {
            request, _ in
            let message = try await ServerRequest(stream: request).message
            return StreamingServerResponse(single: ServerResponse(message: message))
        }
        router.registerHandler(forMethod: Self.streamingFromServer, deserializer: BytesCoding(), serializer: BytesCoding()) {
            request, _ in
            let message = try await ServerRequest(stream: request).message
            return StreamingServerResponse { writer in
                for _ in 0..<Self.messagesPerStream { try await writer.write(message) }
                return [:]
            }
        }
    }
}
