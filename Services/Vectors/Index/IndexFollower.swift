internal import Logging
internal import Postgres
internal import Time

/// Keeps one index what its table is: reads the rows that are newer than what the index has seen, and puts them in.
///
/// The first run builds the index, from what the disk has of it and the rows behind that; every later one is the same with less to do.
struct IndexFollower: Sendable {
    let index: CollectionIndex
    let collections: CollectionRepository
    let documents: DocumentRepository
    let snapshots: SnapshotStore?
    let threads: ComputeThreads
    /// Told when the table turns out to be another than the one that the index has followed: what it had seen of that one, and where this one is.
    let setBack: @Sendable (_ seen: Int64, _ position: Int64) -> Void
    let logger: Logger

    /// Rows read at a time: about 2 MB of 768-d vectors.
    static let rowsPerPage = 500
    /// Rows put in by one job, so that a large change of one collection lets the others' through.
    static let rowsPerJob = 32

    /// Rows behind a snapshot that are in the graph within a second or two.
    static let rowsSoonRead = 2_000

    /// How long the last snapshots may take when the process ends; the supervisor waits half a minute.
    static let farewell: Duration = .seconds(15)

    /// How often the table's number of documents is asked for again, if it was ahead.
    static let looksAtTable = 20

    /// Catches up whenever the index is woken, until the task is cancelled; writes down what has changed at the end.
    func run() async {
        for await _ in index.wakes {
            do {
                try await catchUp()
            } catch is CancellationError {
                break
            } catch {
                // Whoever sees that the table is ahead wakes the index again, twice a second.
                logger.warning(
                    "an index could not follow its table",
                    metadata: ["collection": "\(index.collection.name.text)", "reason": "\(Self.reason(error))"])
            }
        }
        // An index that was retired is not the collection's any more.
        if Task.isCancelled { await snapshots?.saveLast(index, by: .after(Self.farewell)) }
    }

    /// Returns once the index holds everything that was committed before the call, or is not used any more.
    func catchUp() async throws {
        guard let seen = index.seen else { return try await build() }
        // One that was set back may be further than it was before anybody has looked.
        let standing = try await documents.standing(of: index.collection, at: seen)
        guard var unconfirmed = index.unconfirmed(by: standing, at: seen) else { return setBack(seen, standing.position) }
        let (position, _) = try await readRows(behind: seen) { page in
            unconfirmed.subtract(page.map(\.id))
            return unconfirmed.isEmpty
        }
        guard unconfirmed.isEmpty else { return setBack(seen, standing.position) }
        // A table that has gone on since it was counted is counted the next time.
        if position <= standing.position, index.lacksRows(standing.documentCount) { return setBack(seen, standing.position) }
        await published(position)
    }

    /// The first time: from a snapshot and the rows behind it, or from all rows. Nobody searches the index until its position is published at the end:
    /// whatever it holds before, even nothing, is nobody's answer.
    private func build() async throws {
        let start = ContinuousClock.now
        index.forgetNewestRow()
        // An attempt that failed, perhaps because the database was being set back, has left what it had read.
        let isEmpty = index.isEmpty
        let restored = try await restore()
        if restored.map({ $0.newerCount > Self.rowsSoonRead }) ?? true { index.beginWithRows() }
        var unconfirmed = restored?.unconfirmed ?? []
        var (position, rowCount) = try await readRows(behind: restored?.position ?? 0) { page in
            unconfirmed.subtract(page.map(\.id))
            return unconfirmed.isEmpty
        }
        var isWhole: Bool? = unconfirmed.isEmpty
        if unconfirmed.isEmpty, restored != nil || !isEmpty { isWhole = try await hasAllRows(at: position) }
        // Where changes come all the time, a moment is looked for in which the table is no further than the index.
        for _ in 0..<Self.looksAtTable where isWhole == nil {
            position = try await readRows(behind: position).position
            isWhole = try await hasAllRows(at: position)
        }
        if isWhole == false {
            if restored != nil { snapshots?.refuse(index, .foreign, "The snapshot has other documents than the table.") }
            index.install(try IndexContents(index.graphConfiguration))
            index.beginWithRows()
            (position, rowCount) = try await readRows(behind: 0)
        }
        // The rows of a collection that was deleted meanwhile went with it. What is whole now is known to have been.
        _ = try await hasAllRows(at: position)
        logger.notice(
            "index built",
            metadata: [
                "collection": "\(index.collection.name.text)", "documents": "\(index.count)",
                "position": "\(position)", "rows_read": "\(rowCount)", "snapshot_position": "\(restored?.position ?? 0)",
                "duration_ms": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))",
            ])
        await published(position)
    }

    private func published(_ position: Int64) async {
        index.publish(position)
        await snapshots?.saveIfDue(index, at: position)
    }

    /// Puts everything in that is behind a position. How far that is, and how many rows it took.
    ///
    /// - Parameter see: gets each page of rows, and says whether what the index then holds is the table's, so that it may be told and go to the disk.
    private func readRows(
        behind first: Int64, _ see: ([DocumentChange]) -> Bool = { _ in true }
    ) async throws -> (position: Int64, rowCount: Int) {
        // Before the rows are, so that they hold everything up to it. The last change may have brought the table there without a row.
        let known = index.knownTablePosition
        var cursor = ChangeCursor(behind: first)
        var position = first
        var rowCount = 0
        while true {
            let page = try await documents.changes(in: index.collection, after: cursor, limit: Self.rowsPerPage)
            if index.seen == nil {
                // Nobody can search it yet.
                try await threads.run { [index, threads] _ in index.apply(page, threads: threads.count) }
            } else {
                try await put(page)
            }
            let isTheTables = see(page)
            index.noteForSnapshot(changes: page.count)
            rowCount += page.count
            guard let last = page.last else { break }
            position = last.position
            cursor = ChangeCursor(behind: last)
            guard page.count == Self.rowsPerPage else { break }
            guard isTheTables else { continue }
            // Of the last position there may be more rows.
            if index.seen == nil {
                // A build takes long, and a process that is killed need not begin anew.
                await snapshots?.saveIfDue(index, at: position - 1)
            } else {
                // Who waits for a position in the midst of many need not wait for all.
                index.hasFollowed(to: position - 1)
            }
        }
        if index.unreadableCount > 0, rowCount > 0 {
            logger.error(
                "rows that cannot be searched",
                metadata: [
                    "collection": "\(index.collection.name.text)", "rows": "\(index.unreadableCount)",
                ])
        }
        return (max(position, known), rowCount)
    }

    /// What was taken over from the disk.
    private struct Restored {
        /// Up to where it goes.
        let position: Int64
        /// Rows that the table had behind it.
        let newerCount: Int
        /// What it has as the table does not up to there: in a table that went on from it, these documents have changed, and come with the rows
        /// behind the position.
        let unconfirmed: Set<DocumentID>
    }

    /// Takes over what the disk has of the index, if it goes with the table.
    ///
    /// - Returns: `nil` if there is nothing to be used.
    private func restore() async throws -> Restored? {
        guard let snapshots, let loaded = try await snapshots.load(index) else { return nil }
        let standing = try await documents.standing(of: index.collection, at: loaded.saved.position)
        switch loaded.fits(standing) {
        case .used: break
        case let reason:
            snapshots.refuse(index, reason, reason == .stale ? "Too much has changed since." : "The table is another, or was set back.")
            return nil
        }
        index.install(loaded.contents)
        snapshots.use(loaded, for: index)
        return Restored(
            position: loaded.saved.position, newerCount: standing.newerCount,
            unconfirmed: loaded.contents.ids(behind: standing.newest?.version.position ?? .min))
    }

    /// The collection as the database has it; `nil` if it is gone, although another may have its name.
    private func kept() async throws -> Collection? {
        guard let kept = try await collections.find(index.collection.name), kept.id == index.collection.id else { return nil }
        return kept
    }

    /// Whether the index has as many rows as the table; `nil` while the table is ahead, because then it cannot be told.
    private func hasAllRows(at position: Int64) async throws -> Bool? {
        guard let collection = try await kept() else { throw VectorsError.collectionNotFound }
        index.tableHasReached(collection.position)
        guard collection.position == position else { return nil }
        return index.isWhole(collection.documentCount)
    }

    private func put(_ page: [DocumentChange]) async throws {
        for start in stride(from: 0, to: page.count, by: Self.rowsPerJob) {
            let chunk = page[start..<min(start + Self.rowsPerJob, page.count)]
            try await threads.run { [index] _ in index.apply(chunk) }
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? PostgresError)?.description ?? String(reflecting: type(of: error))
    }
}
