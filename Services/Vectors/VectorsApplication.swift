internal import Application
internal import HNSW
internal import Jobs
internal import Postgres

/// The Vectors service put together: a pool, the repositories, the indexes with their threads and their snapshots, the services.
struct VectorsApplication: Sendable {
    private let host: ServiceHost
    private let indexes: CollectionIndexes
    private let jobs: ServiceJobs
    private let service: VectorsService
    private let memories: MemoriesService
    private let forgetting: ForgettingService
    private let transfer: TransferService
    private let indexService: IndexService
    private let aliasesService: AliasesService
    private let erasure: ErasureService
    private let export: ExportService

    init(_ configuration: VectorsConfiguration) throws {
        // A folder in which no file can be made is noticed here, and not by the first collection.
        _ = try HNSWIndex<Int>(HNSWConfiguration(dimension: 1, vectorFolder: configuration.graph.vectorFolder))
        host = try ServiceHost(configuration.common)
        let collections = CollectionRepository(postgres: host.postgres)
        let documents = DocumentRepository(postgres: host.postgres)
        let aliases = AliasRepository(postgres: host.postgres)
        indexes = CollectionIndexes(
            collections: collections, documents: documents, aliases: aliases, configuration: configuration.graph,
            snapshots: configuration.snapshotFolder.map { [logger = host.logger] folder in
                SnapshotStore(folder: folder, policy: configuration.snapshots, logger: logger)
            },
            answersFromRows: configuration.rowSearch,
            // An index has at most one job here, so the bound is one on collections.
            threads: ComputeThreads(name: "index", threads: configuration.indexThreads, maxQueued: 4_096),
            logger: host.logger)
        let databaseJobs = DatabaseJobs(postgres: host.postgres, logger: host.logger)
        let expiry = MemoryExpiry(postgres: host.postgres, logger: host.logger)
        jobs = ServiceJobs(
            host, schema: "vectors", handlers: [databaseJobs.handler, expiry.handler],
            cron: [DatabaseJobs.everyMinute, MemoryExpiry.hourly])
        // The indexes hold collections' documents, which are nobody's; memories are searched in their table.
        erasure = ErasureService(RecordErasure(host, schema: "vectors") { _ in })
        export = ExportService(RecordExport(postgres: host.postgres, schema: "vectors"))
        let threads = ComputeThreads(
            name: "search", threads: configuration.searchThreads, maxQueued: configuration.maxQueuedSearches)
        let recall = RecallSampler(
            budget: RecallBudget(percent: configuration.recallPercent, threads: configuration.searchThreads))
        let texts = DocumentTexts(bytes: configuration.textBytes)
        service = VectorsService(
            collections: collections, documents: documents, indexes: indexes, texts: texts,
            rows: RowSearch(
                collections: collections, documents: documents, threads: threads, limits: configuration.rowSearch),
            recall: recall, threads: threads)
        indexService = IndexService(indexes: indexes, recall: recall)
        host.published.add { [indexes] in IndexMetrics(indexes, recall, texts.counts).write(to: &$0) }
        aliasesService = AliasesService(collections: collections, aliases: aliases, indexes: indexes)
        transfer = TransferService(collections: collections, documents: documents, indexes: indexes)
        memories = MemoriesService(memories: MemoryRepository(postgres: host.postgres), threads: threads)
        forgetting = ForgettingService(memories: memories.memories)
    }

    /// Serves until the process is told to stop, or the task is cancelled, and the open calls have ended. Reports
    /// SERVING once every collection can be searched.
    func run(
        stopSignals: Bool = true, onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }
    ) async throws {
        try await host.run(
            services: [service, aliasesService, memories, forgetting, transfer, indexService, erasure, export],
            background: [{ [indexes] in await indexes.run() }] + jobs.background,
            readiness: [ReadinessCheck("indexes") { [indexes] in indexes.readinessProblem }],
            stopSignals: stopSignals, onListening: onListening)
    }
}
