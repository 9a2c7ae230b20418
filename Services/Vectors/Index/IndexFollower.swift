internal import Logging
internal import Postgres

/// Keeps one index what its table is: reads the rows that are newer than what the index has seen, and puts them in.
///
/// The first run builds the index; every later one is the same with less to do.
struct IndexFollower: Sendable {
    let index: CollectionIndex
    let documents: DocumentRepository
    let threads: ComputeThreads
    let logger: Logger

    /// Rows read at a time: about 2 MB of 768-d vectors.
    static let rowsPerPage = 500
    /// Rows put in by one job, so that a large change of one collection lets the others' through.
    static let rowsPerJob = 32

    /// Catches up whenever the index is woken, until the task is cancelled.
    func run() async {
        for await _ in index.wakes {
            do {
                try await catchUp()
            } catch is CancellationError {
                return
            } catch {
                // Whoever sees that the table is ahead wakes the index again, twice a second.
                logger.warning(
                    "an index could not follow its table",
                    metadata: ["collection": "\(index.collection.name.text)", "reason": "\(Self.reason(error))"])
            }
        }
    }

    /// Returns once the index holds everything that was committed before the call.
    func catchUp() async throws {
        let from = index.seen
        let start = ContinuousClock.now
        var cursor = ChangeCursor(behind: from ?? 0)
        var position = from ?? 0
        var rowCount = 0
        while true {
            let page = try await documents.changes(in: index.collection, after: cursor, limit: Self.rowsPerPage)
            if from == nil {
                // Nobody can search it yet.
                try await threads.run { [index, threads] _ in index.apply(page, threads: threads.count) }
            } else {
                try await put(page)
            }
            rowCount += page.count
            if let last = page.last {
                position = last.position
                cursor = ChangeCursor(behind: last)
            }
            guard page.count == Self.rowsPerPage else { break }
        }
        index.publish(position)
        if from == nil {
            logger.notice(
                "index built",
                metadata: [
                    "collection": "\(index.collection.name.text)", "documents": "\(index.count)",
                    "position": "\(position)",
                    "duration_ms": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))",
                ])
        }
        if index.unreadableCount > 0, rowCount > 0 {
            logger.error(
                "rows that cannot be searched",
                metadata: [
                    "collection": "\(index.collection.name.text)", "rows": "\(index.unreadableCount)",
                ])
        }
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
