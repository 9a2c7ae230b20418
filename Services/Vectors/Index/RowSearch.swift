internal import Filters
internal import HNSW
internal import Synchronization
internal import TextSearch

/// Answers searches from a collection's rows while its index is being built: reads all of them, and compares each.
///
/// What it finds is exact, and what a filter or words mean is the same as in an index, since it is found by the same code. It costs
/// a reading of the whole collection, so collections have a bound and so have such searches at one time. Of an embedding it keeps how near it
/// is, and not the embedding.
final class RowSearch: Sendable {
    /// Bounds of what is spent on a collection whose index is not there.
    struct Limits: Hashable, Sendable {
        /// Documents that a collection may have to be searched in tenths of a second.
        var documents: Int64 = 20_000
        /// What their embeddings may take for that. 20,000 of 768 components are 61 MB. As much may the contents take, which a search
        /// by words holds, and the metadata, which one with a filter holds, together, of any collection.
        var bytes: Int64 = 64 << 20
        /// Documents that a collection may have to be searched at all: in seconds, if the deadline allows.
        var mostDocuments: Int64 = 0
        /// Of collections that are soon searched, and as many of others.
        var searches = 2

        /// Whether a collection of so many documents is soon searched by its rows.
        func allow(_ documentCount: Int64, of space: EmbeddingSpace) -> Bool {
            let bytesEach = Int64(space.dimension * MemoryLayout<Float>.size)
            return documentCount <= min(documents, bytes / bytesEach)
        }

        /// Whether it is searched by its rows, however long that takes.
        func permit(_ documentCount: Int64, of space: EmbeddingSpace) -> Bool {
            documentCount <= mostDocuments || allow(documentCount, of: space)
        }
    }

    private let collections: CollectionRepository
    private let documents: DocumentRepository
    private let threads: ComputeThreads
    private let limits: Limits
    private let soonDone = Running()
    /// Counted apart: a few of seconds would leave no place for those that take tenths.
    private let long = Running()

    init(collections: CollectionRepository, documents: DocumentRepository, threads: ComputeThreads, limits: Limits) {
        self.collections = collections
        self.documents = documents
        self.threads = threads
        self.limits = limits
    }

    /// Sees at least everything that was committed before the call.
    ///
    /// - Throws: `.indexIsBuilding` for a collection that is too large, `.tooManyRowSearches`, `.searchTookTooLong`; why the database could
    ///   not be asked.
    func search(
        _ query: SearchQuery, in collection: Collection, shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> CollectionIndex.Answer {
        guard let kept = try await collections.find(collection.name), kept.id == collection.id else {
            throw VectorsError.collectionNotFound
        }
        guard limits.permit(kept.documentCount, of: kept.space) else { throw VectorsError.indexIsBuilding }
        let running = limits.allow(kept.documentCount, of: kept.space) ? soonDone : long
        guard running.begin(upTo: limits.searches) else { throw VectorsError.tooManyRowSearches }
        defer { running.end() }

        let rows = ComparedRows(of: collection, for: query)
        var cursor = ChangeCursor(behind: 0)
        while true {
            let page = try await documents.changes(
                in: collection, after: cursor, limit: IndexFollower.rowsPerPage, skipsDeleted: true, reading: rows.columns)
            guard !shouldStop() else { throw VectorsError.searchTookTooLong }
            try await compute { try rows.add(page) }
            guard rows.textBytes <= limits.bytes else { throw VectorsError.indexIsBuilding }
            guard page.count == IndexFollower.rowsPerPage, let last = page.last else { break }
            cursor = ChangeCursor(behind: last)
        }
        guard let newest = try await documents.position(of: collection) else { throw VectorsError.collectionNotFound }
        return try await compute { try rows.answer(at: kept.position, newest, shouldStop: shouldStop) }
    }

    private func compute<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await threads.run { _ in try body() }
        } catch is ComputeThreads.Full {
            throw VectorsError.busy
        }
    }
}

/// How many searches run.
private final class Running: Sendable {
    private let count = Mutex(0)

    /// `false`, and it is not counted, where there are as many as there may be.
    func begin(upTo most: Int) -> Bool {
        count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }

    func end() { count.withLock { $0 -= 1 } }
}

/// The rows that one search compares.
private final class ComparedRows: Sendable {
    private let query: SearchQuery
    private let space: EmbeddingSpace
    private let catalog = Mutex(DocumentCatalog())
    /// How near each document is, by its number; of no document if no embedding is asked for.
    private let compared = Mutex<[Int: Match<Int>]>([:])
    private let heldTextBytes = Atomic<Int64>(0)

    /// What the contents and metadata take that are held.
    var textBytes: Int64 { heldTextBytes.load(ordering: .relaxed) }

    init(of collection: Collection, for query: SearchQuery) {
        self.query = query
        space = collection.space
    }

    /// What has to be read of a row.
    var columns: ChangeColumns { ChangeColumns(content: query.looksForWords, metadata: query.filter != nil) }

    /// A row that changed while the pages were read comes again, and takes the place of what it was.
    func add(_ page: [DocumentChange]) throws(HNSWError) {
        // Of this page alone: what is kept of a vector is how near it is.
        let vectors = try ExactIndex<Int>(dimension: space.dimension, metric: space.metric)
        for change in page {
            guard case .live(let embedding, let metadata, let content) = change.state else {
                leaveOut(change.id)
                continue
            }
            let terms = query.looksForWords ? Terms.of(change.id.text) + Terms.of(content) : []
            let known = query.filter == nil ? DocumentMetadata(kept: [:]) : metadata
            heldTextBytes.add(Int64((query.looksForWords ? content.utf8.count : 0) + known.byteCount), ordering: .relaxed)
            let number = catalog.withLock { $0.enter(change.id, change.version, known, terms: terms) }
            do throws(HNSWError) {
                try vectors.insert(embedding, for: number)
            } catch {
                // An index would refuse it as well.
                leaveOut(change.id)
            }
        }
        guard let embedding = query.nearest?.embedding, vectors.count > 0 else { return }
        let found = try vectors.search(embedding.components, k: vectors.count)
        compared.withLock { compared in
            for match in found { compared[match.key] = match }
        }
    }

    private func leaveOut(_ id: DocumentID) {
        let number = catalog.withLock { catalog in
            defer { catalog.remove(id) }
            return catalog.number(of: id)
        }
        if let number { compared.withLock { $0[number] = nil } }
    }

    /// Nearest first; of two equally near the one that was read first.
    private func nearest(_ limit: Int, among passing: Bitmap?) -> [Match<Int>] {
        let matches = compared.withLock { Array($0.values) }.filter { match in
            passing.map { $0.contains(DocumentCatalog.slot(of: match.key)) } ?? true
        }
        let sorted = matches.sorted { one, other in
            if one.score != other.score { return one.score > other.score }
            if one.distance != other.distance { return one.distance < other.distance }
            return one.key < other.key
        }
        return Array(sorted.prefix(limit))
    }

    /// - Parameter newest: Where the table was when all rows had been read.
    func answer(at position: Int64, _ newest: Int64, shouldStop: @escaping () -> Bool) throws -> CollectionIndex.Answer {
        let catalog = catalog.withLock { $0 }
        let passing = query.filter.map { catalog.slots(passing: $0) }
        var answer = try query.answer(at: position) { _, limit in
            let hits = nearest(limit, among: passing).compactMap { match in
                catalog.record(numbered: match.key).map { CollectionIndex.Hit(document: $0, score: space.score(of: match)) }
            }
            return (hits, true)
        } holding: { text, limit in
            let found = catalog.search(
                terms: Terms.of(text.text), limit: limit, among: passing, shouldStop: shouldStop)
            guard let found else { throw VectorsError.searchTookTooLong }
            return found.map { CollectionIndex.Hit(document: $0.record, score: $0.score) }
        }
        answer.newest = newest
        return answer
    }
}

extension SearchQuery {
    fileprivate var looksForWords: Bool {
        switch ranking {
        case .embedding: false
        case .text, .both: true
        }
    }
}
