import RPC
import Testing

@testable import Application

@Suite struct `A method for services` {
    private static let method = MethodDescriptor(
        service: "heartguard.tests.v1.TestsService", name: "Count", kind: .unary,
        policy: MethodPolicy(access: .service, callers: ["gateway", "chat"]))

    private func admit(_ domain: String?, _ program: String?) throws(RPCError) {
        let identity = domain.map { _ in PeerIdentity(trustDomain: domain, program: program) }
        try Authentication.admitService(RPCContext(method: Self.method, peerIdentity: identity))
    }

    @Test(arguments: ["gateway", "chat"])
    func `is open to those that its policy names`(program: String) throws {
        try admit("heartguard", program)
    }

    @Test func `is closed to every other service, by name`() {
        let error = #expect(throws: RPCError.self) { try admit("heartguard", "vitals") }

        #expect(error?.code == .permissionDenied)
        #expect(error?.message == "vitals is not among the services that may call Count.")
    }

    @Test(arguments: [(nil, nil), ("elsewhere", "gateway"), ("heartguard", nil)] as [(String?, String?)])
    func `is closed to whoever no certificate of the cluster names`(domain: String?, program: String?) {
        let error = #expect(throws: RPCError.self) { try admit(domain, program) }

        #expect(error?.code == .unauthenticated)
    }
}
