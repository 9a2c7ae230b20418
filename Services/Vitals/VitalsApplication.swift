internal import Application
internal import Postgres

/// The vitals service as a value: what it is made of, and how it runs.
struct VitalsApplication: Sendable {
    let host: ServiceHost
    let service: VitalsService
    private let erasure: ErasureService

    /// Throws when a key cannot be used; connects to nothing yet.
    init(_ configuration: VitalsConfiguration) throws {
        host = try ServiceHost(configuration.common)
        let observations = ObservationRepository(postgres: host.postgres)
        let latest = LatestObservations(observations, caches: host.caches)
        service = VitalsService(
            observations: observations,
            latest: latest,
            devices: DeviceRepository(postgres: host.postgres),
            samples: SampleRepository(postgres: host.postgres))
        erasure = ErasureService(RecordErasure(host, schema: "vitals") { subject in try await latest.forget(UserID(subject.user)) })
    }

    /// Runs until the program is asked to stop and the last call has ended.
    func run(
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        try await host.run(services: [service, erasure], stopSignals: stopSignals, onListening: onListening)
    }
}
