internal import BenchmarkContracts
internal import Contracts
internal import RPC

/// Reads each request and answers with its payload.
struct FullService: GRPCTesting.BenchmarkServiceProtocol {
    /// What `StreamingFromServer` answers with, here and in every server that is compared.
    static let messagesPerStream = 1_000

    func unaryCall(
        _ request: GRPCTesting.SimpleRequest, context: RPCContext
    ) async throws -> GRPCTesting.SimpleResponse {
        GRPCTesting.SimpleResponse(payload: request.payload)
    }

    func streamingFromServer(
        _ request: GRPCTesting.SimpleRequest, responses: ResponseWriter<GRPCTesting.SimpleResponse>, context: RPCContext
    ) async throws {
        let response = GRPCTesting.SimpleResponse(payload: request.payload)
        for _ in 0..<Self.messagesPerStream { try await responses.write(response) }
    }
}
