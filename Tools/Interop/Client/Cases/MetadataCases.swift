internal import InteropContracts
internal import RPC

extension TestCase {
    private static let initial = (name: "x-grpc-test-echo-initial", value: "test_initial_metadata_value")
    private static let trailing = (name: "x-grpc-test-echo-trailing-bin", value: [0xab, 0xab, 0xab] as [UInt8])

    static let metadata: [TestCase] = [
        TestCase(name: "custom_metadata") { server in
            var sent: Metadata = [initial.name: initial.value]
            sent.add(trailing.name, binary: trailing.value)
            let options = CallOptions(metadata: sent)
            try await server.withChannel { service in
                let response = try await service.channel.unaryResponse(
                    GRPCTesting.TestServiceMethods.unaryCall, .large, options: options)
                try response.message.payload.check(zeros: 314_159)
                try check(response.metadata, response.trailers)

                try await service.fullDuplexCall(options: options) { requests, responses in
                    try await requests.write(.init(sizes: [314_159], payload: 271_828))
                    requests.finish()
                    for try await response in responses { try response.payload.check(zeros: 314_159) }
                    try check(responses.metadata, responses.trailers)
                }
            }
        }
    ]

    private static func check(_ metadata: Metadata, _ trailers: Metadata) throws(TestFailure) {
        try expect(metadata[initial.name] == initial.value, "\(initial.name) did not come back ahead of the answer.")
        try expect(trailers.binary(for: trailing.name) == trailing.value, "\(trailing.name) did not come back behind it.")
    }
}
