internal import Application
internal import Postgres
internal import RPC

/// The Chat service put together: a pool, the repositories, what agents keep, two services.
struct ChatApplication: Sendable {
    private let host: ServiceHost
    private let checkpoints: CheckpointStore
    private let retention: RetentionSchedule
    private let archiver: SessionArchiver
    private let jobs: ServiceJobs
    private let vectors: RPCChannel

    init(_ configuration: ChatConfiguration) throws {
        host = try ServiceHost(configuration.common)
        checkpoints = CheckpointStore(
            postgres: host.postgres, hot: HotSegments(redis: host.durable, settings: configuration.hotCheckpoints, logger: host.logger))
        retention = RetentionSchedule(store: checkpoints, settings: configuration.retention, logger: host.logger)
        archiver = SessionArchiver(postgres: host.postgres, settings: configuration.archives, logger: host.logger)
        vectors = RPCChannel(
            target: (host: configuration.vectors.host, port: configuration.vectors.port), tls: configuration.common.clientTLS, logger: host.logger)
        jobs = ServiceJobs(
            host, schema: "chat", handlers: archiver.handlers + [MemoryForgetting(vectors: vectors).handler], cron: archiver.cron)
    }

    /// Serves until the process is told to stop, or the task is cancelled, and the open calls have ended.
    func run(
        stopSignals: Bool = true, onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        let sessions = SessionRepository(postgres: host.postgres)
        let recent = RecentSessions(sessions, caches: host.caches)
        let messages = MessageRepository(postgres: host.postgres)
        let services: [any RPCService] = [
            ChatService(sessions: sessions, messages: messages, recent: recent, archiver: archiver),
            DraftsService(drafts: DraftRepository(postgres: host.postgres), recent: recent),
            MemoriesService(memories: MemoryRepository(postgres: host.postgres)),
            FeedbackService(feedback: FeedbackRepository(postgres: host.postgres), sessions: sessions, messages: messages),
            VerificationsService(verifications: VerificationRepository(postgres: host.postgres), messages: messages),
            HistoryService(history: HistoryMessageRepository(postgres: host.postgres)),
            CheckpointService(store: checkpoints),
        ]
        let erasure = RecordErasure(host, schema: "chat") { [checkpoints] subject in
            try await checkpoints.hot.forgetAll(of: subject.user)
            try await recent.forget(subject.user)
        }
        let export = RecordExport(postgres: host.postgres, schema: "chat", besides: [.archivedMessages(of: host.postgres)])
        try await host.run(
            services: services + [ErasureService(erasure), ExportService(export)], background: [{ [retention] in await retention.run() }, { [vectors] in await vectors.run() }] + jobs.background,
            stopSignals: stopSignals, onListening: onListening)
    }
}
