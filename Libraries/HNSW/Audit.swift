internal import Synchronization

/// Telling how good the graph's answers are while it is in use.
extension HNSWIndex {
    /// Lets writers wait until the body ends: all its searches are of one state. Other searches go on.
    package func withWritersWaiting<Value, Failure: Error>(
        _ body: () throws(Failure) -> sending Value
    ) throws(Failure) -> sending Value {
        try writer.withLock { _ throws(Failure) in try body() }
    }

    /// Compares every vector that passes. As a search it holds the index for reading, so outside of `withWritersWaiting` a writer waits
    /// for its end, and searches that come later wait behind the writer.
    ///
    /// - Parameters, Throws: as a search.
    package func searchExactly(
        _ vector: [Float], k: Int, where filter: ((Key) -> Bool)? = nil, shouldStop: (() -> Bool)? = nil
    ) throws(HNSWError) -> SearchResult<Key> {
        guard k > 0 else { throw .notPositive("k", k) }
        return try scratchPool.withScratch { query, scratch throws(HNSWError) in
            try query.load(vector, metric: metric)
            return try lock.withReadLock { () throws(HNSWError) in
                var effort = Effort()
                var slot: Int32 = -1
                try graph.scan(
                    for: query, k: min(k, max(1, graph.count)), shouldStop: shouldStop, scratch: &scratch, effort: &effort
                ) {
                    slot &+= 1
                    while slot < graph.slotCount {
                        if slot != graph.hidden, let key = keys[Int(slot)], filter?(key) ?? true { return slot }
                        slot &+= 1
                    }
                    return nil
                }
                return SearchResult(scratch.found, effort: effort, metric: metric, key: { keys[Int($0)] })
            }
        }
    }
}
