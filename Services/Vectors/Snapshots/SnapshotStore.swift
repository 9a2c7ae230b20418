internal import Foundation
internal import HNSW
internal import Logging
internal import Snapshots
internal import Synchronization
internal import Time

/// Keeps what is on the disk close to what is in memory, and reads it at the start.
///
/// Everything that touches files runs on one thread of its own. Nothing that fails here keeps anything from being served: what is not on
/// the disk, or not as it was written, is built from the table.
final class SnapshotStore: Sendable {
    let policy: SnapshotPolicy
    private let folder: SnapshotFolder
    private let threads = ComputeThreads(name: "snapshot", threads: 1, maxQueued: 4_096)
    /// How long a snapshot may be that is read: all of it is held in memory then.
    private let mostBytes: UInt64
    private let logger: Logger
    private let isWriting = Atomic(false)
    private let counts = Mutex(SnapshotCounts())
    private let known = Mutex<Set<UUID>?>(nil)

    init(folder: String, policy: SnapshotPolicy, mostBytes: UInt64 = ProcessInfo.processInfo.physicalMemory, logger: Logger) {
        self.policy = policy
        self.mostBytes = mostBytes
        self.folder = SnapshotFolder(folder)
        self.logger = logger
    }

    /// What became of snapshots since the start.
    var statistics: SnapshotCounts { counts.withLock { $0 } }

    /// What must be the same for a snapshot to be an index's: another collection, or one that was made anew, another model, another
    /// form of the graph or of the documents is another subject.
    private static func subject(of index: CollectionIndex) -> String {
        """
        documents 1; collection \(index.collection.id.uuidString), made \(index.collection.createdAt.microsecondsSinceEpoch), \
        model \(index.collection.space.model.text); \(index.graphConfiguration.layout)
        """
    }

    // MARK: - Reading

    /// What the disk has of a collection; `nil` if there is nothing that can be used.
    ///
    /// - Throws: `CancellationError` alone.
    func load(_ index: CollectionIndex) async throws -> Loaded? {
        try await threads.run { [self] _ in
            do {
                guard let reader = try SnapshotReader.open(folder.file(of: index.collection.id)) else { return nil }
                guard reader.header.subject == Self.subject(of: index) else {
                    refuse(index, .other, "The snapshot is of another collection, model or form.")
                    return nil
                }
                guard UInt64(reader.byteCount) <= mostBytes else {
                    refuse(index, .damaged, "The snapshot is longer than this machine's memory.")
                    return nil
                }
                let contents = try IndexContents(from: reader, index.graphConfiguration)
                let writtenAt = Instant(microsecondsSinceEpoch: reader.header.writtenAt)
                return Loaded(
                    contents: contents,
                    saved: .init(position: reader.header.position, byteCount: reader.byteCount, writtenAt: writtenAt))
            } catch {
                switch (error as? SnapshotError)?.code {
                case .otherFormat: refuse(index, .other, Self.sentence(error))
                case .file: pass(index, .unread, Self.sentence(error))
                default: refuse(index, .damaged, Self.sentence(error))
                }
                return nil
            }
        }
    }

    /// A snapshot was read and goes with its table.
    func use(_ loaded: Loaded, for index: CollectionIndex) {
        counts.withLock { $0.loads[.used, default: 0] += 1 }
        index.snapshotState.withLock { $0.saved = loaded.saved }
    }

    /// Removes a snapshot that cannot be used.
    func refuse(_ index: CollectionIndex, _ outcome: SnapshotCounts.Load, _ sentence: String) {
        pass(index, outcome, sentence)
        remove(index)
    }

    /// Goes on without a snapshot, which stays as it is.
    private func pass(_ index: CollectionIndex, _ outcome: SnapshotCounts.Load, _ sentence: String) {
        counts.withLock { $0.loads[outcome, default: 0] += 1 }
        logger.warning(
            "a snapshot is not used; the index is built from its table",
            metadata: ["collection": "\(index.collection.name.text)", "reason": "\(sentence)"])
        index.snapshotState.withLock { state in
            state.problem = sentence
            state.saved = nil
        }
    }

    private func remove(_ index: CollectionIndex) {
        do throws(SnapshotError) {
            try folder.remove(index.collection.id)
            index.snapshotState.withLock { $0.saved = nil }
        } catch {
            logger.warning(
                "a snapshot cannot be removed",
                metadata: ["collection": "\(index.collection.name.text)", "reason": "\(error.message)"])
        }
    }

    // MARK: - Writing

    func isDue(_ index: CollectionIndex) -> Bool {
        let now = ContinuousClock.now
        return index.snapshotState.withLock {
            policy.isDue($0, count: index.count, isBuilding: index.seen == nil, now: now)
        }
    }

    /// Writes a snapshot if there is reason to, and no other is being written. Returns once the index may be changed again; the disk may take
    /// longer.
    ///
    /// - Parameter position: All changes up to it are in, perhaps some later ones too.
    func saveIfDue(_ index: CollectionIndex, at position: Int64) async {
        guard isDue(index), isWriting.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        await withCheckedContinuation { continuation in
            let isTaken = threads.start { [self] in
                save(index, at: position) { continuation.resume() }
                isWriting.store(false, ordering: .releasing)
            }
            if !isTaken {
                isWriting.store(false, ordering: .releasing)
                continuation.resume()
            }
        }
    }

    /// Writes what has changed since the last snapshot, for a process that ends. Returns once it is on the disk.
    ///
    /// - Parameter deadline: from when on it is left: the next start reads more rows then.
    func saveLast(_ index: CollectionIndex, by deadline: Deadline) async {
        guard let position = index.seen else { return }
        await withCheckedContinuation { continuation in
            let isTaken = threads.start { [self] in
                if !deadline.hasPassed, index.snapshotState.withLock({ $0.changes > 0 }) { save(index, at: position) {} }
                continuation.resume()
            }
            if !isTaken { continuation.resume() }
        }
    }

    /// - Parameter taken: called once the index may be changed again.
    private func save(_ index: CollectionIndex, at position: Int64, taken: () -> Void) {
        // Its file may have been removed already.
        guard !index.isRetired else { return taken() }
        let begun = index.snapshotState.withLock { $0.begin() }
        let start = ContinuousClock.now
        var pause = Duration.zero
        do throws(SnapshotError) {
            let header = SnapshotHeader(
                subject: Self.subject(of: index), position: position, writtenAt: Instant.now().microsecondsSinceEpoch)
            let writer: SnapshotWriter
            do throws(SnapshotError) {
                writer = try take(index, header)
            } catch {
                taken()
                throw error
            }
            pause = ContinuousClock.now - start
            taken()
            let byteCount = try writer.putInPlace()
            let saved = SnapshotState.Saved(
                position: position, byteCount: byteCount,
                writtenAt: Instant(microsecondsSinceEpoch: header.writtenAt))
            index.snapshotState.withLock { $0.succeed(saved) }
            counts.withLock { $0.written += 1 }
            logger.info(
                "snapshot written",
                metadata: [
                    "collection": "\(index.collection.name.text)", "position": "\(position)", "bytes": "\(byteCount)",
                    "pause_ms": "\(Int(pause / .milliseconds(1)))",
                    "duration_ms": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))",
                ])
        } catch {
            fail(index, begun, error)
        }
    }

    /// Hands all of the index to the system, which brings it to the disk later.
    private func take(_ index: CollectionIndex, _ header: SnapshotHeader) throws(SnapshotError) -> SnapshotWriter {
        try folder.take()
        // The documents are usually less than the graph.
        try folder.requireRoom(for: max(index.byteCount, index.snapshotState.withLock { $0.saved?.byteCount ?? 0 }) * 3 / 2)
        let writer = try SnapshotWriter(header, in: folder.path, as: SnapshotFolder.name(of: index.collection.id))
        try index.contents.write(to: writer)
        try writer.close()
        return writer
    }

    private func fail(
        _ index: CollectionIndex, _ begun: (changes: Int, firstChangeAt: ContinuousClock.Instant?), _ error: SnapshotError
    ) {
        let now = ContinuousClock.now
        let (isNew, mustGo) = index.snapshotState.withLock { state in
            let isNew = state.problem != error.message
            state.fail(begun, error.message, retryAt: now + policy.retry)
            return (isNew, policy.mustGo(state, now: now))
        }
        counts.withLock { $0.failed += 1 }
        if isNew {
            logger.warning(
                "a snapshot cannot be written",
                metadata: ["collection": "\(index.collection.name.text)", "reason": "\(error.message)"])
        }
        // What was deleted must not be kept for as long as the disk is full.
        if mustGo { remove(index) }
    }

    // MARK: - What is there no more

    /// Removes the files of collections that are not among these. Cheap where nothing has changed.
    ///
    /// - Parameter made: those that have an index when the files are looked at, since one may have been made meanwhile.
    func keepOnly(_ collections: Set<UUID>, and made: @escaping @Sendable () -> [UUID]) {
        let isNews = known.withLock { known in
            defer { known = collections }
            return known != collections
        }
        guard isNews else { return }
        _ = threads.start { [self] in
            // A folder that is not there has nothing in it, and one that cannot be made is told of when something is to be written.
            guard (try? folder.take()) != nil else { return }
            do throws(SnapshotError) {
                let removed = try folder.removeAll(except: collections.union(made()))
                if removed > 0 { logger.notice("snapshots that nobody needs were removed", metadata: ["files": "\(removed)"]) }
            } catch {
                logger.warning("snapshots that nobody needs cannot be removed", metadata: ["reason": "\(error.message)"])
            }
        }
    }

    /// Has the next `keepOnly` look at the files, for a collection is gone: one that came and went between two of them changes nothing of what these are
    /// told, and may have left a file.
    func lookAgain() { known.withLock { $0 = nil } }

    private static func sentence(_ error: any Error) -> String {
        switch error {
        case let error as SnapshotError: error.message
        case let error as HNSWError: error.message
        default: String(reflecting: type(of: error))
        }
    }
}

/// What became of snapshots.
struct SnapshotCounts: Hashable, Sendable {
    enum Load: String, Hashable, Sendable, CaseIterable {
        case used
        /// Bytes were not what was written.
        case damaged
        /// The system did not let it be read this time.
        case unread
        /// Of another collection, model, graph or format.
        case other
        /// It does not go with the table: the database was set back, or is another.
        case foreign
        /// So much has changed since that it saves nothing.
        case stale
    }

    var written = 0
    var failed = 0
    var loads: [Load: Int] = [:]
}
