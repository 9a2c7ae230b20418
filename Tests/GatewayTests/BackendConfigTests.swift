import Contracts
import RPC
import Testing

@testable import Gateway

@Suite struct `What the Gateway does for a call to a service` {
    private func config(_ descriptor: MethodDescriptor) -> MethodConfig? {
        guard let backend = Backend(serving: descriptor) else { return nil }
        let methods = BackendConfig.serviceConfig(for: backend).methods
        let name = MethodConfig.Name(service: descriptor.service, method: descriptor.name)
        return methods.first { $0.names.contains(name) } ?? methods.first { $0.names.contains(.init()) }
    }

    @Test func `leads to a service that has come back at another address within about a second`() {
        let configuration = BackendConfig.channel(to: .users, connections: 1)

        #expect(configuration.minResolutionInterval <= .seconds(1))
        #expect(configuration.maxBackoff <= .seconds(1))
    }

    /// Made again, each would make another of what it makes where no id came with it.
    @Test(arguments: [
        ChatV1.ChatServiceMethods.createSession.descriptor, VitalsV1.GoalsServiceMethods.createGoal.descriptor,
        VitalsV1.GoalsServiceMethods.recordProgress.descriptor, VitalsV1.MedicationsServiceMethods.addMedication.descriptor,
        VitalsV1.AlertsServiceMethods.createAlertRule.descriptor, VitalsV1.PatientRecordsServiceMethods.createPatientRecord.descriptor,
    ])
    func `is nothing more, once it is lost on its way, for what the service gives an id itself`(method: MethodDescriptor) {
        #expect(config(method)?.repetition == nil, "\(method.path)")
    }

    @Test func `is to wait for the service, and to make again only what is idempotent by its contract`() {
        let methods = ContractRegistry.methods.map(\.descriptor).filter { Backend(serving: $0) != nil }

        #expect(!methods.isEmpty)
        for method in methods {
            let config = config(method)
            #expect(config?.waitForReady == true, "\(method.path)")
            #expect((config?.repetition != nil) == (method.policy.idempotency != .notIdempotent), "\(method.path)")
        }
    }
}
