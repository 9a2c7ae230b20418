/// The truth that `HNSWIndex` is measured against: compares the query with every vector that the filter lets pass.
///
/// Also the better choice for a few hundred vectors, since it has no graph to build.
package final class ExactIndex<Key: Hashable & Sendable>: VectorIndex, @unchecked Sendable {
    // Sendable, because everything that varies is read and changed under `lock`.

    package let dimension: Int
    package let metric: Metric

    private let lock = ReaderWriterLock()
    private var vectors: VectorStore
    /// Without gaps: the last vector moves to the place of one that is removed.
    private var keys: [Key] = []
    private var slots: [Key: Int32] = [:]

    private let vectorsBetweenStops = 2048

    /// - Throws: `.invalidConfiguration`.
    package init(dimension: Int, metric: Metric = .cosine) throws(HNSWError) {
        try HNSWConfiguration(dimension: dimension, metric: metric).validate()
        self.dimension = dimension
        self.metric = metric
        vectors = VectorStore(dimension: dimension, metric: metric)
    }

    package var count: Int { lock.withReadLock { keys.count } }

    package func contains(_ key: Key) -> Bool { lock.withReadLock { slots[key] != nil } }

    package func vector(for key: Key) -> [Float]? { lock.withReadLock { slots[key].map { vectors.read($0) } } }

    package func insert(_ vector: [Float], for key: Key) throws(HNSWError) {
        let prepared = try PreparedVector(vector, dimension: dimension, metric: metric)
        try lock.withWriteLock { () throws(HNSWError) in
            if let slot = slots[key] { return vectors.write(prepared, to: slot) }
            guard keys.count < Int(Int32.max) - 1 else { throw .full }
            if keys.count == vectors.capacity { vectors.grow(to: max(64, keys.count * 2)) }
            let slot = Int32(keys.count)
            vectors.write(prepared, to: slot)
            keys.append(key)
            slots[key] = slot
        }
    }

    @discardableResult
    package func remove(_ key: Key) -> Bool {
        lock.withWriteLock {
            guard let slot = slots.removeValue(forKey: key) else { return false }
            let last = Int32(keys.count - 1)
            if slot != last {
                vectors.move(last, to: slot)
                keys[Int(slot)] = keys[Int(last)]
                slots[keys[Int(slot)]] = slot
            }
            vectors.erase(last)
            keys.removeLast()
            return true
        }
    }

    package func search(
        _ query: [Float], k: Int, efSearch: Int?, where filter: ((Key) -> Bool)?, shouldStop: (() -> Bool)?
    ) throws(HNSWError) -> SearchResult<Key> {
        guard k > 0 else { throw .notPositive("k", k) }
        let prepared = Query(try PreparedVector(query, dimension: dimension, metric: metric))
        return try lock.withReadLock { () throws(HNSWError) in
            var nearest = CandidateHeap(.farthestFirst)
            var comparisons = 0
            for position in keys.indices {
                if position % vectorsBetweenStops == 0, let shouldStop, shouldStop() { throw .interrupted }
                guard filter?(keys[position]) ?? true else { continue }
                let slot = Int32(position)
                nearest.keepNearest(k, Candidate(compared: vectors.compare(prepared, slot), slot: slot))
                comparisons += 1
            }
            var found = CandidateList()
            nearest.drain(into: &found)
            return SearchResult(
                found, effort: .init(comparisons: comparisons, isExact: true), metric: metric, key: { keys[Int($0)] })
        }
    }
}
