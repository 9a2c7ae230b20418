import FoundationEssentials
import RPC
import Testing

@testable import Application

@Suite struct `The patient in a call's metadata` {
    private static let ada = UUID()

    private func patient(_ names: [String], access: MethodPolicy.Access = .user, scopes: [CareScope] = [.vitalsRead]) throws(RPCError) -> UUID? {
        var metadata: Metadata = [:]
        for name in names { metadata.add("Heartguard-Patient", value: name) }
        let policy = MethodPolicy(access: access, scopes: scopes)
        let method = MethodDescriptor(service: "heartguard.tests.v1.TestsService", name: "Count", kind: .unary, policy: policy)
        return try PatientAccess.patient(RPCContext(method: method, metadata: metadata))
    }

    @Test func `is nobody without the header`() throws {
        #expect(try patient([]) == nil)
        #expect(try patient([], scopes: []) == nil)
    }

    @Test func `is an id, whichever case its letters have`() throws {
        #expect(try patient([Self.ada.uuidString]) == Self.ada)
        #expect(try patient([Self.ada.uuidString.lowercased()]) == Self.ada)
    }

    @Test(arguments: [
        [""], ["x"], [" \(ada)"], ["\(ada) "], ["{\(ada)}"], ["\(ada),\(ada)"], ["\(ada)", "\(ada)"], ["", "\(ada)"],
        [String(repeating: "a", count: 36)].map { $0.replacing("a", with: "z") },
    ])
    func `is never passed over when it cannot be read`(names: [String]) {
        let error = #expect(throws: RPCError.self) { try patient(names) }

        #expect(error?.code == .invalidArgument)
    }

    @Test(arguments: [MethodPolicy.Access.anyone, .user, .service, .operator_])
    func `is refused by a method that nobody calls for somebody else, also what cannot be read`(access: MethodPolicy.Access) {
        for name in [Self.ada.uuidString, "x", ""] {
            let error = #expect(throws: RPCError.self) { try patient([name], access: access, scopes: []) }

            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "Count cannot be called for a patient.")
        }
    }
}
