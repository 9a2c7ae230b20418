internal import InteropContracts
internal import RPC

extension TestCase {
    static let cancellation: [TestCase] = [
        TestCase(name: "cancel_after_begin") { server in
            try await server.withChannel { service in
                // A connection first, so that the call begins at once.
                _ = try await service.emptyCall(.init())
                let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
                let call = Task {
                    try await service.streamingInputCall { _ in
                        continuation.finish()
                        try await Task.sleep(for: .seconds(30))
                    }
                }
                for await _ in begun {}
                call.cancel()
                _ = try await expectStatus(.cancelled, "StreamingInputCall") { try await call.value }
            }
        },
        TestCase(name: "cancel_after_first_response") { server in
            try await server.withChannel { service in
                let (answered, continuation) = AsyncStream.makeStream(of: Void.self)
                let call = Task {
                    defer { continuation.finish() }
                    try await service.fullDuplexCall { requests, responses in
                        try await requests.write(.init(sizes: [31_415], payload: 27_182))
                        for try await response in responses {
                            try response.payload.check(zeros: 31_415)
                            continuation.finish()
                        }
                    }
                }
                for await _ in answered {}
                call.cancel()
                _ = try await expectStatus(.cancelled, "FullDuplexCall") { try await call.value }
            }
        },
    ]
}
