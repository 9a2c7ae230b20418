internal import HNSW
internal import Logging
internal import Postgres
internal import Synchronization

/// The indexes of all collections, and the task that lets each follow its table.
final class CollectionIndexes: Sendable {
    private let collections: CollectionRepository
    private let documents: DocumentRepository
    /// Where names lead that are not collections'.
    let aliases: AliasDirectory
    private let configuration: GraphConfiguration
    /// `nil` keeps nothing on the disk.
    let snapshots: SnapshotStore?
    private let threads: ComputeThreads
    private let answersFromRows: RowSearch.Limits
    private let pollInterval: Duration
    private let logger: Logger

    private struct State {
        var indexes: [CollectionName: CollectionIndex] = [:]
        /// Whether the list of collections has been read once.
        var isListed = false
        /// How often a collection was let go of because it had been deleted.
        var dropCount = 0
    }

    private let state = Mutex(State())
    /// Indexes that have no follower yet.
    private let newcomers: AsyncStream<CollectionIndex>
    private let announcer: AsyncStream<CollectionIndex>.Continuation

    /// - Parameters:
    ///   - snapshots: Where indexes are kept over a restart.
    ///   - answersFromRows: Which collections' searches are answered while the index is being built.
    ///   - threads: Where rows are put into the graphs.
    ///   - pollInterval: How long another replica's change, of a table or of an alias, may go unnoticed.
    init(
        collections: CollectionRepository, documents: DocumentRepository, aliases: AliasRepository,
        configuration: GraphConfiguration,
        snapshots: SnapshotStore? = nil, answersFromRows: RowSearch.Limits = .init(documents: 0), threads: ComputeThreads, pollInterval: Duration = .milliseconds(500), logger: Logger
    ) {
        self.collections = collections
        self.documents = documents
        self.aliases = AliasDirectory(repository: aliases)
        self.configuration = configuration
        self.snapshots = snapshots
        self.answersFromRows = answersFromRows
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
                let follower = IndexFollower(
                    index: index, collections: collections, documents: documents, snapshots: snapshots, threads: threads,
                    setBack: { self.discard(index, $0, $1) }, logger: logger)
                group.addTask { await follower.run() }
            }
        }
    }

    /// The collection's index. One that another replica has just made is looked up.
    ///
    /// - Throws: `VectorsError.noCollection(_:)`, or why the database could not be asked.
    func index(of name: CollectionName) async throws -> CollectionIndex {
        if let index = known(name) { return index }
        guard let collection = try await find(name) else { throw VectorsError.noCollection(name) }
        return try adopt(collection)
    }

    /// The index of a collection, if this replica has heard of it.
    func known(_ name: CollectionName) -> CollectionIndex? { state.withLock { $0.indexes[name] } }

    /// The collection as the database has it.
    func find(_ name: CollectionName) async throws -> Collection? { try await collections.find(name) }

    /// The index of a collection that is known to exist, made if this is the first to hear of it.
    @discardableResult
    func adopt(_ collection: Collection) throws(HNSWError) -> CollectionIndex {
        try state.withLock { state throws(HNSWError) in try adopt(collection, &state) }
    }

    /// The same of a collection that is on a list, unless its name has got another index, or lost one, since the list was asked for: who did that knew
    /// more.
    ///
    /// - Parameters:
    ///   - before: The index that the name had.
    ///   - dropCount: How often one had been let go of.
    private func adopt(_ collection: Collection, since before: CollectionIndex?, _ dropCount: Int) throws(HNSWError) -> CollectionIndex? {
        try state.withLock { state throws(HNSWError) in
            let known = state.indexes[collection.name]
            let isAsBefore = known === before && (known != nil || state.dropCount == dropCount)
            guard isAsBefore || known?.collection.id == collection.id else { return nil }
            return try adopt(collection, &state)
        }
    }

    private func adopt(_ collection: Collection, _ state: inout State) throws(HNSWError) -> CollectionIndex {
        if let index = state.indexes[collection.name] {
            if index.collection.id == collection.id {
                index.tableHasReached(collection.position)
                return index
            }
            retire(index)
        }
        let index = try CollectionIndex(of: collection, configuration: configuration)
        state.indexes[collection.name] = index
        announcer.yield(index)
        return index
    }

    /// Lets go of the index of a collection that has been deleted.
    func drop(_ collection: Collection) {
        state.withLock { state in
            guard let index = state.indexes[collection.name], index.collection.id == collection.id else { return }
            retire(index)
            state.indexes[collection.name] = nil
            state.dropCount += 1
        }
    }

    /// The indexes there are, by the collections' names.
    var all: [CollectionIndex] {
        state.withLock { $0.indexes.values.sorted { $0.collection.name.text < $1.collection.name.text } }
    }

    /// Why searches would be refused: a sentence that counts the indexes which are still being built, of collections that are too large
    /// to be searched row by row meanwhile.
    var readinessProblem: String? {
        state.withLock { state in
            guard state.isListed else { return "The collections have not been read yet." }
            let building = state.indexes.values.filter { $0.seen == nil && !isAnsweredFromRows($0) }
            guard let largest = building.max(by: { $0.collection.documentCount < $1.collection.documentCount }) else {
                return nil
            }
            return """
                \(building.count) of \(state.indexes.count) indexes are being built; \(largest.collection.name.text) \
                has \(largest.count) of \(largest.collection.documentCount) documents.
                """
        }
    }

    /// Whether searches of an index that is not there yet are answered. Where that takes long, nobody is let in while the index may be read from the disk, which
    /// is sooner done.
    private func isAnsweredFromRows(_ index: CollectionIndex) -> Bool {
        let collection = index.collection
        return answersFromRows.allow(collection.documentCount, of: collection.space)
            || index.isMadeOfRows && answersFromRows.permit(collection.documentCount, of: collection.space)
    }

    /// Asks twice a second which tables are ahead of their index, and where aliases lead. It is two statements, whatever has changed.
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
        // First, since an index is told the position of an alias that leads to it: one of before a backup was restored is ahead of the table.
        try await aliases.refresh()
        let (before, dropCount) = state.withLock { ($0.indexes, $0.dropCount) }
        // Asked before the list is read: an index that follows a change until the list is here has seen more than the list says.
        let seen = before.compactMapValues { $0.seen }
        let listed = try await collections.list()
        for collection in listed {
            var known = before[collection.name]
            if let index = known, index.collection.id == collection.id, let seen = seen[collection.name], seen > collection.position {
                discard(index, seen, collection.position)
                known = nil
            }
            guard let index = try adopt(collection, since: known, dropCount) else { continue }
            if index.seen.map({ $0 < collection.position }) ?? true || snapshots?.isDue(index) ?? false { index.wake() }
        }
        forget(before.keys.filter { name in !listed.contains { $0.name == name } }, before)
        snapshots?.keepOnly(Set(listed.map(\.id))) { [weak self] in self?.all.map(\.collection.id) ?? [] }
        state.withLock { $0.isListed = true }
    }

    /// Lets go of the indexes of collections that were there before the list was read and are not on it.
    private func forget(_ names: [CollectionName], _ before: [CollectionName: CollectionIndex]) {
        for name in names {
            state.withLock { state in
                guard let index = state.indexes[name], index === before[name] else { return }
                retire(index)
                state.indexes[name] = nil
            }
        }
    }

    /// Positions only grow, so a table that is behind what its index has seen is another one, such as a backup's; so is one whose rows up to
    /// there are not those that the index has. What was read of the old one counts no more.
    private func discard(_ index: CollectionIndex, _ seen: Int64, _ position: Int64) {
        let name = index.collection.name
        logger.error(
            "a table has gone back; its index is built anew",
            metadata: ["collection": "\(name.text)", "seen": "\(seen)", "position": "\(position)"])
        state.withLock { state in
            guard state.indexes[name] === index else { return }
            retire(index)
            state.indexes[name] = nil
        }
    }

    private func retire(_ index: CollectionIndex) {
        index.retire()
        snapshots?.lookAgain()
    }

    private static func reason(_ error: any Error) -> String {
        (error as? PostgresError)?.description ?? String(reflecting: type(of: error))
    }
}
