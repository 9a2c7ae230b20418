internal import Application
internal import Postgres
internal import RPC

/// The vitals service as a value: what it is made of, and how it runs.
struct VitalsApplication: Sendable {
    let host: ServiceHost
    let service: VitalsService
    private let alerts: AlertsService
    private let medications: MedicationsService
    private let live: LiveService
    private let series: SeriesService
    private let goals: GoalsService
    private let predictions: PredictionsService
    private let records: PatientRecordsService
    private let erasure: ErasureService
    private let export: ExportService
    private let importing: ImportService
    private let jobs: ServiceJobs
    private let users: RPCChannel

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
        let rules = AlertRuleRepository(postgres: host.postgres)
        alerts = AlertsService(alerts: rules)
        medications = MedicationsService(
            medications: MedicationStore(postgres: host.postgres), interactions: Interactions(postgres: host.postgres))
        live = LiveService(feed: LiveFeed(postgres: host.postgres))
        series = SeriesService(samples: SampleRepository(postgres: host.postgres), reader: SeriesReader(postgres: host.postgres))
        goals = GoalsService(goals: GoalStore(postgres: host.postgres))
        predictions = PredictionsService(predictions: PredictionStore(postgres: host.postgres))
        records = PatientRecordsService(records: PatientRecordStore(postgres: host.postgres))
        users = RPCChannel(
            target: (host: configuration.users.host, port: configuration.users.port), tls: configuration.common.clientTLS, logger: host.logger)
        jobs = ServiceJobs(host, schema: "vitals", handlers: [AlertTeller(alerts: rules, users: users).handler])
        importing = ImportService(records: RecordImport(postgres: host.postgres), latest: latest)
        export = ExportService(RecordExport(postgres: host.postgres, schema: "vitals", resources: .resources(of: host.postgres)))
        erasure = ErasureService(RecordErasure(host, schema: "vitals") { subject in try await latest.forget(UserID(subject.user)) })
    }

    /// Runs until the program is asked to stop and the last call has ended.
    func run(
        stopSignals: Bool = true,
        onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        try await host.run(
            services: [service, alerts, medications, live, series, goals, predictions, records, erasure, export, importing],
            background: [{ [users] in await users.run() }] + jobs.background, stopSignals: stopSignals,
            onListening: onListening)
    }
}
