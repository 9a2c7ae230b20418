import Application
import FoundationEssentials
import RPC
import Testing

@testable import Gateway

@Suite struct `A call for a patient that goes on to a service` {
    private let ada = UUID().uuidString
    private var context: RPCContext {
        let method = MethodDescriptor(service: "heartguard.tests.v1.TestsService", name: "Count", kind: .unary, policy: MethodPolicy(access: .user))
        return RPCContext(
            method: method, metadata: ["authorization": "Bearer token", PatientAccess.header: ada, "x-other": "1"], requestID: "7")
    }

    @Test func `says for which`() {
        let onward = Backends.forwarded(context)

        #expect(onward.values(for: "heartguard-patient") == [ada])
        #expect(onward["authorization"] == "Bearer token")
        #expect(onward["x-request-id"] == "7")
        #expect(onward["x-other"] == nil)
    }

    @Test func `does not where what is asked for is nobody's record`() {
        let onward = Backends.ofCaller(context)

        #expect(onward.values(for: "heartguard-patient").isEmpty)
        #expect(onward["authorization"] == "Bearer token")
    }
}
