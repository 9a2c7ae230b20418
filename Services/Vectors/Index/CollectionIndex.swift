internal import Filters
internal import HNSW
internal import Synchronization
internal import TextSearch
internal import Time

private let lastNumber = Atomic(0)

/// One collection in memory: its graph, the catalogue of its documents, and how far the two have followed the table.
///
/// It is a function of the table: rows enter through `apply` alone, which the collection's follower calls, one chunk
/// after another. Applying a row again changes nothing.
final class CollectionIndex: Sendable {
    /// No other of this process has it, nor will.
    let number = lastNumber.add(1, ordering: .relaxed).newValue
    /// As it was when this process learned of it; the id, the name and the space never change.
    let collection: Collection
    let graphConfiguration: HNSWConfiguration
    /// Exchanged only while nobody can search.
    private let currentGraph: Mutex<HNSWIndex<Int>>
    /// Seen by the extension in CollectionIndex+Searching, and by nobody else; so are the next and `graph`.
    let catalog = Mutex(DocumentCatalog())
    /// No row behind this position is in, nor is being put in.
    let newestRow = Atomic<Int64>(0)
    private let tracker = PositionTracker()
    private let published = Mutex<Followed?>(nil)
    /// How far the table is known to be, which a position without a row brings it to as well.
    private let tablePosition: Atomic<Int64>
    private let unreadable = Mutex<[DocumentID: RowVersion]>([:])
    /// What is on the disk of it, and what has changed since.
    let snapshotState = Mutex(SnapshotState())
    /// Where the table is, for searches that want to know whether it has changed.
    let tableReading = SharedReading<Int64>()
    private let isLetGo = Atomic(false)
    /// Whether it has had as many rows as its table.
    private let wasWhole = Atomic(false)
    private let isReadAnew = Atomic(false)

    /// Gets an element whenever the table may have what the index has not.
    let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(of collection: Collection, configuration: GraphConfiguration) throws(HNSWError) {
        self.collection = collection
        graphConfiguration = HNSWConfiguration(
            dimension: collection.space.dimension, metric: collection.space.metric, m: configuration.m,
            efConstruction: configuration.efConstruction, efSearch: configuration.efSearch, vectorFolder: configuration.vectorFolder)
        currentGraph = Mutex(try HNSWIndex(graphConfiguration))
        tablePosition = Atomic(collection.position)
        // One wake stands for all that come while the follower works.
        (wakes, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        waker.yield()
    }

    var graph: HNSWIndex<Int> { currentGraph.withLock { $0 } }

    var count: Int { graph.count }
    /// What the vectors and the graph take in memory.
    var byteCount: Int { graph.byteCount }
    var ids: [DocumentID] { catalog.withLock { $0.ids } }
    /// Rows that could not be read or were refused by the graph.
    var unreadableCount: Int { unreadable.withLock { $0.count } }
    /// Whether no row was put in, or all are gone again.
    var isEmpty: Bool { count == 0 && unreadableCount == 0 }

    /// The vector of a document as the graph compares it.
    func vector(of id: DocumentID) -> [Float]? {
        catalog.withLock { $0.number(of: id) }.flatMap { graph.vector(for: $0) }
    }

    /// Walks the whole graph; for tests and for a doubt in operation. A sentence for each broken promise.
    func validate() -> [String] { graph.validate() }

    // MARK: - Following

    /// Everything up to this position can be found; `nil` until the index has been built.
    var seen: Int64? { tracker.seen }

    func wake() { waker.yield() }

    /// What the table is known to have reached. Rows that are read after this was asked hold everything up to there.
    var knownTablePosition: Int64 { tablePosition.load(ordering: .acquiring) }

    /// Whether it is being made of its table's rows, all of them or many, since the disk had nothing or too little that it could be made of. That may take minutes.
    var isMadeOfRows: Bool { isReadAnew.load(ordering: .acquiring) }

    /// To be called before so many are read.
    func beginWithRows() { isReadAnew.store(true, ordering: .releasing) }

    /// To be called with positions that the database has told, and no others.
    func tableHasReached(_ position: Int64) {
        tablePosition.max(position, ordering: .acquiringAndReleasing)
        if seen.map({ $0 < position }) ?? false { wake() }
    }

    /// Ends the wakes, and so the follower: the index is not used any more. Who waits for a position here is to ask again, and not to wait in vain.
    func retire() {
        isLetGo.store(true, ordering: .releasing)
        waker.finish()
        tracker.end()
    }

    /// Whether the collection is gone, or has another index.
    var isRetired: Bool { isLetGo.load(ordering: .acquiring) }

    private typealias Arrival = (id: DocumentID, version: RowVersion, number: Int, vector: [Float])

    /// Puts changes in, in their order, those of the graph on so many threads. To be called by one thread at a time, and not by
    /// a shared one: an insertion computes for about a millisecond.
    func apply(_ changes: some BidirectionalCollection<DocumentChange>, threads: Int = 1) {
        if let last = changes.last { newestRow.max(last.position, ordering: .acquiringAndReleasing) }
        var arriving: [Arrival] = []
        for change in changes {
            switch change.state {
            case .live(let embedding, let metadata, let content):
                // Whoever knows a document's id, such as a code, should find it by that as well.
                let terms = Terms.of(change.id.text) + Terms.of(content)
                // Into the catalogue first, so that a search that finds the number can name the document.
                let number = catalog.withLock { $0.enter(change.id, change.version, metadata, terms: terms) }
                arriving.append((change.id, change.version, number, embedding))
            case .deleted, .unreadable:
                put(arriving, threads)
                arriving = []
                drop(change.id, unreadable: change.state == .deleted ? nil : change.version)
            }
        }
        put(arriving, threads)
    }

    private func put(_ arriving: [Arrival], _ threads: Int) {
        do throws(HNSWError) {
            try graph.insert(arriving.map { ($0.number, $0.vector) }, threads: threads)
            unreadable.withLock { rows in
                if !rows.isEmpty { for arrival in arriving { rows[arrival.id] = nil } }
            }
        } catch {
            // One by one it is seen which is refused.
            for arrival in arriving { put(arrival) }
        }
    }

    private func put(_ arrival: Arrival) {
        do throws(HNSWError) {
            try graph.insert(arrival.vector, for: arrival.number)
            unreadable.withLock { $0[arrival.id] = nil }
        } catch {
            drop(arrival.id, unreadable: arrival.version)
        }
    }

    /// - Parameter version: of a row that cannot be read; `nil` for one that is deleted.
    private func drop(_ id: DocumentID, unreadable version: RowVersion?) {
        if let number = catalog.withLock({ $0.number(of: id) }) { graph.remove(number) }
        catalog.withLock { $0.remove(id) }
        unreadable.withLock { $0[id] = version }
    }

    /// All that the index holds, as one value; changes wait until the caller lets the follower go on.
    var contents: IndexContents {
        IndexContents(graph: graph, catalog: catalog.withLock { $0 }, unreadable: unreadable.withLock { $0 })
    }

    /// What the index has as the table does not up to the position that it has followed it to: in a table that went on from there, these
    /// documents have changed, and come with the rows behind it. `nil` if the table is another.
    func unconfirmed(by standing: TableStanding, at seen: Int64) -> Set<DocumentID>? {
        guard standing.position >= seen else { return nil }
        guard let newest = standing.newest else { return ids(behind: .min) }
        guard version(of: newest.id) == newest.version else { return nil }
        // Most often the last change is the newest row, and nothing is to be looked for.
        return newest.version.position == seen ? [] : ids(behind: newest.version.position)
    }

    /// Whether it has as many rows as its table, which has so many documents, at the position that it has followed it to. To be asked by its follower.
    func isWhole(_ documentCount: Int64) -> Bool {
        guard documentCount == Int64(count + unreadableCount) else { return false }
        wasWhole.store(true, ordering: .relaxed)
        return true
    }

    /// Whether its table is another than the one that it once had all rows of: what was deleted there and is not here shows in nothing else. A table
    /// that counts wrong is not, or its index would be built again and again.
    func lacksRows(_ documentCount: Int64) -> Bool { !isWhole(documentCount) && wasWhole.load(ordering: .relaxed) }

    private func version(of id: DocumentID) -> RowVersion? {
        catalog.withLock { $0.version(of: id) } ?? unreadable.withLock { $0[id] }
    }

    private func ids(behind position: Int64) -> Set<DocumentID> {
        let unreadable = unreadable.withLock { $0 }.filter { $0.value.position > position }
        return Set(catalog.withLock { $0.ids(behind: position) }).union(unreadable.keys)
    }

    /// What is on the disk, and what has changed since.
    var snapshot: SnapshotState { snapshotState.withLock { $0 } }

    func noteForSnapshot(changes: Int) { snapshotState.withLock { $0.note(changes: changes, now: .now) } }

    /// Takes over what a snapshot holds, or begins anew; before the first position is published.
    func install(_ contents: IndexContents) {
        precondition(seen == nil, "an index that is being searched is not exchanged")
        currentGraph.withLock { $0 = contents.graph }
        catalog.withLock { $0 = contents.catalog }
        unreadable.withLock { $0 = contents.unreadable }
    }

    /// What it holds at a position that it has followed its table to, where it is the same for every index of the table.
    struct Followed: Hashable, Sendable {
        let position: Int64
        let digest: ContentsDigest
    }

    /// As of the last position that was published; rows that come in now are not in it. `nil` until the index has been built.
    var followed: Followed? { published.withLock { $0 } }

    /// To be called before it is built: what an attempt has read that failed may be of a database that was set back since.
    func forgetNewestRow() { newestRow.store(0, ordering: .releasing) }

    /// Tells whoever waits that everything up to the position is in, though more is coming.
    func hasFollowed(to position: Int64) { tracker.advance(to: position) }

    /// Tells whoever waits, and whoever compares indexes, that everything up to the position is in and nothing behind it. To be called by the index's follower.
    func publish(_ position: Int64) {
        let digest = catalog.withLock { $0.digest }
        published.withLock { $0 = Followed(position: position, digest: digest) }
        hasFollowed(to: position)
    }

    /// Waits until the index has seen a position; `false` when it has not by the deadline, or is not used any more.
    func hasSeen(_ position: Int64, by deadline: Deadline) async -> Bool {
        if let seen, seen >= position { return true }
        wake()
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { [tracker] in await tracker.arrival(at: position) }
            group.addTask {
                // Ended early only by cancellation, which the other child's answer has caused or reports as well.
                try? await Task.sleep(for: max(.zero, deadline.remaining))
                return false
            }
            let hasArrived = await group.next() ?? false
            group.cancelAll()
            return hasArrived
        }
    }

    /// The ids of the documents that pass, as the index has them now.
    func ids(passing filter: Filter) -> [DocumentID] { catalog.withLock { $0.ids(passing: filter) } }
}
