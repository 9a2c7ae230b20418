import RPC
import Testing

@testable import Gateway

@Suite struct `A field that goes on to a service` {
    private func pass(_ metadata: Metadata) async throws {
        let method = MethodDescriptor(service: "heartguard.tests.v1.TestsService", name: "Count", kind: .unary, policy: MethodPolicy(access: .user))
        try await ForwardedFields().intercept(RPCContext(method: method, metadata: metadata)) { context in
            // What is let through can be sent.
            if let problem = Backends.forwarded(context).firstProblem { throw RPCError(.internalError, problem) }
        }
    }

    @Test(arguments: ["x-request-id", "heartguard-purpose", "heartguard-patient", "idempotency-key", "authorization"], ["é", "a\tb", "\u{7F}"])
    func `and cannot be sent is the caller's mistake`(name: String, value: String) async throws {
        let error = await #expect(throws: RPCError.self) { try await pass([name: "TREAT", name: value]) }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(name) == true)
    }

    @Test(arguments: ["heartguard-purpose", "heartguard-patient", "idempotency-key"])
    func `and is longer than all that a service takes is the caller's mistake`(name: String) async throws {
        try await pass([name: String(repeating: "7", count: 8_192)])

        let error = await #expect(throws: RPCError.self) { try await pass([name: String(repeating: "7", count: 8_193)]) }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(name) == true)
    }

    @Test func `goes on if it can be sent, and what goes nowhere may be anything`() async throws {
        try await pass(["x-request-id": " ~", "heartguard-purpose": "TREAT", "user-agent": "é"])
    }
}
