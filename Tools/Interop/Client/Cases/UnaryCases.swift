internal import InteropContracts
internal import RPC

extension TestCase {
    static let unary: [TestCase] = [
        TestCase(name: "empty_unary") { server in
            try await server.withChannel { service in
                let response = try await service.emptyCall(.init())
                try expect(response.unknownFields.isEmpty, "The response should be empty.")
            }
        },
        TestCase(name: "large_unary") { server in
            try await server.withChannel { service in
                try await service.unaryCall(.large).payload.check(zeros: 314_159)
            }
        },
        TestCase(name: "cacheable_unary", isPartOfAll: false) { server in
            // The GET of the description was withdrawn from gRPC; a proxy that knows gRPC can cache a POST all the same.
            try await server.withChannel { service in
                let timestamp = "\(ContinuousClock.now)"
                let request = GRPCTesting.SimpleRequest(payload: .init(body: Array(timestamp.utf8)))
                let options = CallOptions(metadata: ["x-user-ip": "1.2.3.4"])
                let first = try await service.cacheableUnaryCall(request, options: options)
                let second = try await service.cacheableUnaryCall(request, options: options)
                try expect(first.payload?.body.isEmpty == false, "The response should hold a time.")
                try expect(first.payload == second.payload, "The second response should have come out of a cache.")
            }
        },
    ]
}
