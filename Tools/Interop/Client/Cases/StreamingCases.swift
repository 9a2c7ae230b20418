internal import InteropContracts
internal import RPC

extension TestCase {
    private static let requestSizes = [27_182, 8, 1_828, 45_904]
    private static let responseSizes: [Int32] = [31_415, 9, 2_653, 58_979]

    static let streaming: [TestCase] = [
        TestCase(name: "client_streaming") { server in
            try await server.withChannel { service in
                let response = try await service.streamingInputCall { requests in
                    for size in requestSizes { try await requests.write(.init(payload: .zeros(size))) }
                }
                let size = response.message.aggregatedPayloadSize
                try expect(size == 74_922, "The payloads should have 74922 bytes together, and have \(size).")
            }
        },
        TestCase(name: "server_streaming") { server in
            try await server.withChannel { service in
                let responses = try await service.streamingOutputCall(.init(sizes: responseSizes)) { responses in
                    try await responses.reduce(into: []) { $0.append($1) }
                }
                try expect(responses.count == responseSizes.count, "\(responses.count) responses came instead of 4.")
                for (response, size) in zip(responses, responseSizes) { try response.payload.check(zeros: Int(size)) }
            }
        },
        TestCase(name: "ping_pong") { server in
            try await server.withChannel { service in
                try await service.fullDuplexCall { requests, responses in
                    var iterator = responses.makeAsyncIterator()
                    for (requestSize, responseSize) in zip(requestSizes, responseSizes) {
                        try await requests.write(.init(sizes: [responseSize], payload: requestSize))
                        guard let response = try await iterator.next() else {
                            throw TestFailure("The call ended before every request was answered.")
                        }
                        try response.payload.check(zeros: Int(responseSize))
                    }
                    requests.finish()
                    try expect(try await iterator.next() == nil, "A response came that nobody asked for.")
                }
            }
        },
        TestCase(name: "empty_stream") { server in
            try await server.withChannel { service in
                try await service.fullDuplexCall { requests, responses in
                    requests.finish()
                    for try await _ in responses { throw TestFailure("A response came that nobody asked for.") }
                }
            }
        },
    ]
}
