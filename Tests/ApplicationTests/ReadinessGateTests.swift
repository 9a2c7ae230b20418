import RPC
import Synchronization
import Testing

@testable import Application

@Suite struct `A service that has just started` {
    private func context(_ service: String = "test.Notes") -> RPCContext {
        let policy = MethodPolicy(access: .anyone)
        return RPCContext(
            method: MethodDescriptor(service: service, name: "Say", kind: .unary, policy: policy))
    }

    @Test func `lets calls wait until it is ready`() async throws {
        let gate = ReadinessGate(health: HealthReporter(), patience: .seconds(600))
        let arrived = Atomic(false)
        async let call: Void = gate.intercept(context()) { _ in }

        gate.open()
        try await call
        try await gate.intercept(context()) { _ in arrived.store(true, ordering: .relaxed) }

        let hasArrived = arrived.load(ordering: .relaxed)
        #expect(hasArrived)
    }

    @Test func `refuses calls with its reason when that takes too long`() async {
        let gate = ReadinessGate(health: HealthReporter(.notServing(reason: "The database is away.")), patience: .zero)

        let error = await #expect(throws: RPCError.self) { try await gate.intercept(context()) { _ in } }

        #expect(error?.code == .unavailable)
        #expect(error?.message == "The service is not ready. The database is away.")
    }

    @Test func `answers about its health from the start`() async throws {
        let gate = ReadinessGate(health: HealthReporter(), patience: .zero)

        try await gate.intercept(context("grpc.health.v1.Health")) { _ in }
    }
}
