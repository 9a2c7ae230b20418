internal import InteropContracts
internal import RPC

/// grpc.testing.TestService without its one method that no server has.
struct InteropService: RPCService {
    static var serviceName: String { TestService.serviceName }

    var handlers: [MethodHandler] {
        let missing = GRPCTesting.TestServiceMethods.unimplementedCall.descriptor.path
        return TestService().handlers.filter { $0.descriptor.path != missing }
    }
}

/// What the description's "Server" section says of each method.
struct TestService: GRPCTesting.TestServiceProtocol {
    func emptyCall(_ request: GRPCTesting.Empty, context: RPCContext) async throws -> GRPCTesting.Empty {
        GRPCTesting.Empty()
    }

    func unaryCall(_ request: GRPCTesting.SimpleRequest, context: RPCContext) async throws -> GRPCTesting.SimpleResponse {
        try TestService.check(request.expectCompressed, context.requestWasCompressed)
        try TestService.end(with: request.responseStatus)
        if request.responseCompressed?.value == true { context.compressResponse() }
        return GRPCTesting.SimpleResponse(payload: try .zeros(request.responseSize, request.responseType))
    }

    func cacheableUnaryCall(
        _ request: GRPCTesting.SimpleRequest, context: RPCContext
    ) async throws -> GRPCTesting.SimpleResponse {
        context.responseMetadata.set("cache-control", "max-age=60, public")
        let nanoseconds = (ContinuousClock.now - TestService.start) / .nanoseconds(1)
        return GRPCTesting.SimpleResponse(payload: .init(body: Array("\(Int64(nanoseconds))".utf8)))
    }

    func streamingOutputCall(
        _ request: GRPCTesting.StreamingOutputCallRequest,
        responses: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>,
        context: RPCContext
    ) async throws {
        try await TestService.answer(request, responses)
    }

    func streamingInputCall(
        _ requests: RequestStream<GRPCTesting.StreamingInputCallRequest>, context: RPCContext
    ) async throws -> GRPCTesting.StreamingInputCallResponse {
        var byteCount = 0
        for try await request in requests.framed {
            try TestService.check(request.message.expectCompressed, request.wasCompressed)
            byteCount += request.message.payload?.body.count ?? 0
        }
        return GRPCTesting.StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: byteCount))
    }

    func fullDuplexCall(
        _ requests: RequestStream<GRPCTesting.StreamingOutputCallRequest>,
        responses: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>,
        context: RPCContext
    ) async throws {
        for try await request in requests { try await TestService.answer(request, responses) }
    }

    func halfDuplexCall(
        _ requests: RequestStream<GRPCTesting.StreamingOutputCallRequest>,
        responses: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>,
        context: RPCContext
    ) async throws {
        var kept: [GRPCTesting.StreamingOutputCallRequest] = []
        for try await request in requests {
            guard kept.count < TestService.maxKeptRequests else {
                throw RPCError(.resourceExhausted, "No more than \(TestService.maxKeptRequests) requests are kept.")
            }
            kept.append(request)
        }
        for request in kept { try await TestService.answer(request, responses) }
    }

    func unimplementedCall(_ request: GRPCTesting.Empty, context: RPCContext) async throws -> GRPCTesting.Empty {
        throw RPCError(.unimplemented, "No server has this method.")
    }

    private static let maxKeptRequests = 1_000
    private static let start = ContinuousClock.now
}

extension TestService {
    private static func answer(
        _ request: GRPCTesting.StreamingOutputCallRequest,
        _ responses: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>
    ) async throws {
        try end(with: request.responseStatus)
        for wanted in request.responseParameters {
            if wanted.intervalUs > 0 { try await Task.sleep(for: .microseconds(Int64(wanted.intervalUs))) }
            let payload = try GRPCTesting.Payload.zeros(wanted.size, request.responseType)
            try await responses.write(.init(payload: payload), compressed: wanted.compressed?.value)
        }
    }

    /// "Echo Status": ends the call as the request says.
    private static func end(with status: GRPCTesting.EchoStatus?) throws(RPCError) {
        guard let status, status.code != 0 else { return }
        throw RPCError(StatusCode(rawValue: Int(status.code)) ?? .unknown, status.message)
    }

    /// "CompressedRequest": a request that says how it should have come is refused when it came otherwise.
    private static func check(_ expected: GRPCTesting.BoolValue?, _ wasCompressed: Bool) throws(RPCError) {
        guard let expected, expected.value != wasCompressed else { return }
        let sentence = expected.value ? "The request should have been compressed." : "The request should not have been compressed."
        throw RPCError(.invalidArgument, sentence)
    }
}

extension GRPCTesting.Payload {
    private static let maxBytes: Int32 = 32 << 20

    static func zeros(_ count: Int32, _ type: GRPCTesting.PayloadType) throws(RPCError) -> GRPCTesting.Payload {
        guard type == .compressable else { throw RPCError(.invalidArgument, "There are no payloads of that type.") }
        guard (0...maxBytes).contains(count) else {
            throw RPCError(.invalidArgument, "A payload has from 0 to \(maxBytes) bytes.")
        }
        return GRPCTesting.Payload(body: [UInt8](repeating: 0, count: Int(count)))
    }
}
