import Contracts
import Foundation
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite struct `A call of the JSON door that is denied` {
    @Test func `is on record with whom and what its path names`() async throws {
        let (person, appointment) = (UUID().uuidString, UUID().uuidString)
        let recorded = Mutex<[AuditV1.RecordAccessRequest]>([])
        let intake = Method<RawMessage, RawMessage>(AuditV1.AuditIntakeServiceMethods.recordAccess.descriptor)
        let recording = MethodHandler.unary(intake) { request, _ in
            let event = try AuditV1.RecordAccessRequest(decoding: request.bytes)
            recorded.withLock { $0.append(event) }
            return RawMessage([])
        }
        let port = try FreePort.find()
        try await withService(answering: [recording]) { service in
            try await withGateways(1, services: [.users: service], ["HEARTGUARD_JSON_PORT": "\(port)"]) { gateways in
                let token = try await gateways.signedIn().metadata["authorization"] ?? ""
                let client = try await RawHTTP.connect(to: port)
                try await client.send(
                    "POST /v1/users/\(person)/appointments/\(appointment)/complete HTTP/1.1\r\nhost: door\r\nauthorization: \(token)\r\n"
                        + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
                try await until { client.heard.contains("PERMISSION_DENIED") }
                try await client.close()
            }
        }

        let events = recorded.withLock { $0 }
        #expect(events.map(\.method) == ["CompleteAppointment"])
        #expect(events.map(\.userId) == [person])
        #expect(events.map(\.resourceId) == [appointment])
    }
}
