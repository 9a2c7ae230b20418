internal import HNSW
internal import Logging
internal import Postgres
internal import Synchronization

/// The indexes of all collections, and the task that lets each follow its table.
final class CollectionIndexes: Sendable {
    private let collections: CollectionRepository
    private let documents: DocumentRepository
    private let configuration: GraphConfiguration
    private let threads: ComputeThreads
    private let pollInterval: Duration
    private let logger: Logger

    private struct State {
        var indexes: [CollectionName: CollectionIndex] = [:]
        /// Whether the list of collections has been read once.
        var isListed = false
    }

    private let state = Mutex(State())
    /// Indexes that have no follower yet.
    private let newcomers: AsyncStream<CollectionIndex>
    private let announcer: AsyncStream<CollectionIndex>.Continuation

    /// - Parameters:
    ///   - threads: Where rows are put into the graphs.
    ///   - pollInterval: How long another replica's change may go unnoticed.
    init(
        collections: CollectionRepository, documents: DocumentRepository, configuration: GraphConfiguration,
        threads: ComputeThreads, pollInterval: Duration = .milliseconds(500), logger: Logger
    ) {
        self.collections = collections
        self.documents = documents
        self.configuration = configuration
        self.threads = threads
        self.pollInterval = pollInterval
        self.logger = logger
        (newcomers, announcer) = AsyncStream.makeStream(of: CollectionIndex.self)
    }

    /// Builds the indexes and keeps them current until the task is cancelled. To be called once.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch() }
            for await index in newcomers {
                let follower = IndexFollower(index: index, documents: documents, threads: threads, logger: logger)
                group.addTask { await follower.run() }
            }
        }
    }

    /// The collection's index. One that another replica has just made is looked up.
    ///
    /// - Throws: `VectorsError.collectionNotFound`, or why the database could not be asked.
    func index(of name: CollectionName) async throws -> CollectionIndex {
        if let index = state.withLock({ $0.indexes[name] }) { return index }
        guard let collection = try await collections.find(name) else { throw VectorsError.collectionNotFound }
        return try adopt(collection)
    }

    /// The index of a collection that is known to exist, made if this is the first to hear of it.
    @discardableResult
    func adopt(_ collection: Collection) throws(HNSWError) -> CollectionIndex {
        try state.withLock { state throws(HNSWError) in
            if let index = state.indexes[collection.name] {
                if index.collection.id == collection.id { return index }
                index.retire()
            }
            let index = try CollectionIndex(of: collection, configuration: configuration)
            state.indexes[collection.name] = index
            announcer.yield(index)
            return index
        }
    }

    /// Why searches would be refused: a sentence that counts the indexes which are still being built.
    var readinessProblem: String? {
        state.withLock { state in
            guard state.isListed else { return "The collections have not been read yet." }
            let building = state.indexes.values.filter { $0.seen == nil }
            guard let largest = building.max(by: { $0.collection.documentCount < $1.collection.documentCount }) else {
                return nil
            }
            return """
                \(building.count) of \(state.indexes.count) indexes are being built; \(largest.collection.name.text) \
                has \(largest.count) of \(largest.collection.documentCount) documents.
                """
        }
    }

    /// Asks twice a second which tables are ahead of their index. It is one statement, whatever has changed.
    private func watch() async {
        var isReachable = true
        while !Task.isCancelled {
            do {
                try await lookAround()
                isReachable = true
            } catch {
                if isReachable, !Task.isCancelled {
                    logger.warning("the collections cannot be read", metadata: ["reason": "\(Self.reason(error))"])
                }
                isReachable = false
            }
            // Ended early only by cancellation, which ends the loop as well.
            try? await Task.sleep(for: pollInterval)
        }
    }

    private func lookAround() async throws {
        let before = state.withLock { $0.indexes.mapValues(\.seen) }
        for collection in try await collections.list() {
            if let seen = before[collection.name] ?? nil, seen > collection.position { discard(collection, seen) }
            let index = try adopt(collection)
            if index.seen.map({ $0 < collection.position }) ?? true { index.wake() }
        }
        state.withLock { $0.isListed = true }
    }

    /// Positions only grow, so a table that is behind what its index has seen is another one, such as a backup's: what
    /// was read of the old one counts no more.
    private func discard(_ collection: Collection, _ seen: Int64) {
        logger.error(
            "a table has gone back; its index is built anew",
            metadata: [
                "collection": "\(collection.name.text)", "seen": "\(seen)", "position": "\(collection.position)",
            ])
        state.withLock { $0.indexes.removeValue(forKey: collection.name) }?.retire()
    }

    private static func reason(_ error: any Error) -> String {
        (error as? PostgresError)?.description ?? String(reflecting: type(of: error))
    }
}
