internal import InteropContracts
internal import RPC

extension TestCase {
    static let statuses: [TestCase] = [
        TestCase(name: "status_code_and_message") { server in
            try await server.withChannel { service in
                let status = GRPCTesting.EchoStatus(code: 2, message: "test status message")
                try await checkUnary(service, status)
                let error = try await expectStatus(.unknown, "FullDuplexCall") {
                    try await service.fullDuplexCall { requests, responses in
                        try await requests.write(.init(responseStatus: status))
                        requests.finish()
                        for try await _ in responses {}
                    }
                }
                try check(error, status)
            }
        },
        TestCase(name: "special_status_message") { server in
            let text = "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n"
            try await server.withChannel { try await checkUnary($0, .init(code: 2, message: text)) }
        },
        TestCase(name: "unimplemented_method") { server in
            try await server.withChannel { service in
                _ = try await expectStatus(.unimplemented, "UnimplementedCall") { try await service.unimplementedCall(.init()) }
            }
        },
        TestCase(name: "unimplemented_service") { server in
            try await server.withChannel { service in
                let missing = GRPCTesting.UnimplementedServiceClient(service.channel)
                _ = try await expectStatus(.unimplemented, "UnimplementedCall") { try await missing.unimplementedCall(.init()) }
            }
        },
        TestCase(name: "timeout_on_sleeping_server") { server in
            try await server.withChannel { service in
                // A connection first, so that the millisecond is spent on the call.
                _ = try await service.emptyCall(.init())
                _ = try await expectStatus(.deadlineExceeded, "FullDuplexCall") {
                    try await service.fullDuplexCall(options: .init(timeout: .milliseconds(1))) { requests, responses in
                        do throws(RPCError) { try await requests.write(.init(payload: .zeros(27_182))) } catch {
                            // The call may have ended by then; reading tells how.
                        }
                        for try await _ in responses {}
                    }
                }
            }
        },
    ]

    private static func checkUnary(
        _ service: GRPCTesting.TestServiceClient, _ status: GRPCTesting.EchoStatus
    ) async throws {
        let error = try await expectStatus(.unknown, "UnaryCall") {
            try await service.unaryCall(.init(responseStatus: status))
        }
        try check(error, status)
    }

    private static func check(_ error: RPCError, _ status: GRPCTesting.EchoStatus) throws(TestFailure) {
        try expect(error.message == status.message, "The status message should be \"\(status.message)\", not \"\(error.message)\".")
    }
}
