internal import Filters
internal import HNSW
internal import Synchronization
internal import TextSearch

extension CollectionIndex {
    /// Whether a search would be done in some 0.1 ms, for which an event loop may be held: a walk that keeps few candidates, without a filter that has to
    /// be evaluated first, and that waits for no others: neither for the graph nor for the catalogue, which searches by words hold.
    func isBrief(_ query: SearchQuery) -> Bool {
        guard case .embedding = query.ranking, query.filter == nil,
            max(query.limit, query.effort ?? graphConfiguration.efSearch) <= 128
        else { return false }
        return graph.isFree && catalog.withLockIfAvailable { _ in true } ?? false
    }

    /// Computes for up to milliseconds unless it is brief, so it is to be called on threads meant for that.
    func search(_ query: SearchQuery, shouldStop: () -> Bool) throws -> Answer {
        guard let position = seen else { throw VectorsError.indexIsBuilding }
        let passing = query.filter.map { filter in catalog.withLock { $0.slots(passing: filter) } }
        var answer = try query.answer(at: position) { embedding, limit in
            try nearest(embedding, limit, among: passing, effort: query.effort, shouldStop: shouldStop)
        } holding: { text, limit in
            try holding(text, limit, among: passing, shouldStop: shouldStop)
        }
        if let filter = query.filter {
            // The slot of a document that passed may have been given to another since.
            answer.hits = catalog.withLock { catalog in answer.hits.filter { catalog.has($0.id, passing: filter) } }
        }
        answer.newest = max(position, newestRow.load(ordering: .acquiring))
        return answer
    }

    /// Searches as for a caller and compares with what is nearest. The follower waits meanwhile, so that both are of one state.
    ///
    /// - Returns: `nil` for a search that looks for nothing near, or among nothing.
    func sample(_ query: SearchQuery) throws -> RecallSample? {
        guard seen != nil, let (embedding, count) = query.nearest else { return nil }
        let graph = graph
        return try graph.withWritersWaiting {
            let passing = query.filter.map { filter in catalog.withLock { $0.slots(passing: filter) } }
            if let passing, passing.isEmpty { return nil }
            let (found, _) = try graph.nearest(
                to: embedding.components, k: count, effort: query.effort, among: passing,
                numbers: { slots in catalog.withLock { $0.numbers(in: slots) } }, shouldStop: { false })
            let nearest = try graph.searchExactly(
                embedding.components, k: count,
                where: passing.map { passing in { passing.contains(DocumentCatalog.slot(of: $0)) } })
            return RecallSample(
                Selectivity(passing: passing?.count, of: graph.count), found: found, nearest: nearest)
        }
    }

    /// The documents nearest to an embedding: so many, or all that pass.
    private func nearest(
        _ embedding: Embedding, _ limit: Int, among passing: Bitmap?, effort: Int?, shouldStop: () -> Bool
    ) throws -> (hits: [Hit], isExact: Bool) {
        if let passing, passing.isEmpty { return ([], true) }
        let nearest: (found: SearchResult<Int>, isExact: Bool)
        do throws(HNSWError) {
            nearest = try withoutActuallyEscaping(shouldStop) { shouldStop throws(HNSWError) in
                try graph.nearest(
                    to: embedding.components, k: limit, effort: effort, among: passing,
                    numbers: { slots in catalog.withLock { $0.numbers(in: slots) } }, shouldStop: shouldStop)
            }
        } catch {
            throw error.code == .interrupted ? VectorsError.searchTookTooLong as any Error : error
        }
        // A document may have been deleted since the graph was searched.
        let hits = catalog.withLock { catalog in
            nearest.found.matches.compactMap { match in
                catalog.record(numbered: match.key).map { Hit(document: $0, score: collection.space.score(of: match)) }
            }
        }
        return (hits, nearest.isExact)
    }

    /// The documents that hold the words, those first that are most about them.
    private func holding(
        _ text: SearchText, _ limit: Int, among passing: Bitmap?, shouldStop: () -> Bool
    ) throws(VectorsError) -> [Hit] {
        let terms = Terms.of(text.text)
        let found = catalog.withLock { $0.search(terms: terms, limit: limit, among: passing, shouldStop: shouldStop) }
        guard let found else { throw .searchTookTooLong }
        return found.map { Hit(document: $0.record, score: $0.score) }
    }
}
