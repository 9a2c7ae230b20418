import Contracts
import RPC
import Synchronization
import Testing

@testable import Gateway

@Suite struct `An overview` {
    /// It is kept, and a replica may have in its memory what another has changed since.
    @Test func `is made of what services answer past their memories`() async throws {
        let asked = Mutex<[String?]>([])
        let intake = Method<RawMessage, RawMessage>(AuditV1.AuditIntakeServiceMethods.recordAccess.descriptor)
        let latest = Method<RawMessage, RawMessage>(VitalsV1.VitalsServiceMethods.getLatestObservations.descriptor)
        let recording = MethodHandler.unary(intake) { _, _ in RawMessage([]) }
        let answering = MethodHandler.unary(latest) { _, context in
            asked.withLock { $0.append(context.metadata["cache-control"]) }
            return RawMessage([])
        }

        try await withService(answering: [recording, answering]) { service in
            try await withGateways(1, services: [.vitals: service]) { gateways in
                let ada = try await gateways.signedIn()
                let overview = try await GatewayV1.GatewayServiceClient(gateways.channels[0]).getPatientOverview(.init(), options: ada)
                #expect(overview.parts.first { $0.service == "vitals" }?.state == .present)
            }
        }

        let fields = asked.withLock { $0 }
        #expect(!fields.isEmpty && fields.allSatisfy { $0 == "no-cache" })
    }
}
