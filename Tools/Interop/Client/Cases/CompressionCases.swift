internal import InteropContracts
internal import RPC

extension TestCase {
    /// Those without a probe are for servers that cannot tell how a request came.
    static let compression: [TestCase] = [
        TestCase(name: "client_compressed_unary") { try await compressedUnary($0, probes: true) },
        TestCase(name: "client_compressed_unary_noprobe", isPartOfAll: false) { try await compressedUnary($0, probes: false) },
        TestCase(name: "server_compressed_unary") { server in
            try await server.withChannel { service in
                for isCompressed in [true, false] {
                    var request = GRPCTesting.SimpleRequest.large
                    request.responseCompressed = .init(value: isCompressed)
                    let response = try await service.channel.unaryResponse(
                        GRPCTesting.TestServiceMethods.unaryCall, request)
                    try response.message.payload.check(zeros: 314_159)
                    try check(response.wasCompressed, isCompressed)
                }
            }
        },
        TestCase(name: "client_compressed_streaming") { try await compressedStreaming($0, probes: true) },
        TestCase(name: "client_compressed_streaming_noprobe", isPartOfAll: false) {
            try await compressedStreaming($0, probes: false)
        },
        TestCase(name: "server_compressed_streaming") { server in
            try await server.withChannel { service in
                let wanted: [(size: Int, isCompressed: Bool)] = [(31_415, true), (92_653, false)]
                var request = GRPCTesting.StreamingOutputCallRequest()
                request.responseParameters = wanted.map {
                    .init(size: Int32($0.size), compressed: .init(value: $0.isCompressed))
                }
                let responses = try await service.streamingOutputCall(request) { responses in
                    try await responses.framed.reduce(into: []) { $0.append($1) }
                }
                try expect(responses.count == wanted.count, "\(responses.count) responses came instead of \(wanted.count).")
                for (response, wanted) in zip(responses, wanted) {
                    try response.message.payload.check(zeros: wanted.size)
                    try check(response.wasCompressed, wanted.isCompressed)
                }
            }
        },
    ]

    private static func check(_ wasCompressed: Bool, _ expected: Bool) throws(TestFailure) {
        try expect(
            wasCompressed == expected, "A response should \(expected ? "" : "not ")have been compressed.")
    }

    private static func compressedUnary(_ server: TestServer, probes: Bool) async throws {
        try await server.withChannel { service in
            var request = GRPCTesting.SimpleRequest.large
            request.expectCompressed = .init(value: true)
            if probes {
                _ = try await expectStatus(.invalidArgument, "The probe") { [request] in try await service.unaryCall(request) }
            }
            let compressed = try await service.unaryCall(request, options: .init(encoding: .gzip))
            try compressed.payload.check(zeros: 314_159)
            request.expectCompressed = .init(value: false)
            try await service.unaryCall(request).payload.check(zeros: 314_159)
        }
    }

    private static func compressedStreaming(_ server: TestServer, probes: Bool) async throws {
        let compressed = GRPCTesting.StreamingInputCallRequest(
            payload: .zeros(27_182), expectCompressed: .init(value: true))
        let plain = GRPCTesting.StreamingInputCallRequest(payload: .zeros(45_904), expectCompressed: .init(value: false))
        try await server.withChannel { service in
            if probes {
                _ = try await expectStatus(.invalidArgument, "The probe") {
                    try await service.streamingInputCall { try await $0.write(compressed) }
                }
            }
            let response = try await service.streamingInputCall(options: .init(encoding: .gzip)) { requests in
                try await requests.write(compressed)
                try await requests.write(plain, compressed: false)
            }
            let size = response.message.aggregatedPayloadSize
            try expect(size == 73_086, "The payloads should have 73086 bytes together, and have \(size).")
        }
    }
}
