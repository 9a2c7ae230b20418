internal import Synchronization

/// An approximate index: a hierarchical navigable small world graph (Malkov and Yashunin, arXiv 1603.09320).
///
/// A search climbs down sparse layers to the neighbourhood of the query and explores it on layer 0, where every vector
/// is; its cost grows with the logarithm of their number. Searches run while one writer inserts or removes: the writer
/// works a change out beside them and locks them out only while it is put in, some microseconds.
package final class HNSWIndex<Key: Hashable & Sendable>: VectorIndex, @unchecked Sendable {
    // Sendable, because: `graph` and `keys` are read under `lock` or by the holder of `writer`, and changed only by the
    // holder of both; vectors are written to slots that no search can reach yet.

    package let configuration: HNSWConfiguration
    package var dimension: Int { configuration.dimension }
    package var metric: Metric { configuration.metric }

    private let lock = ReaderWriterLock()
    private let writer: Mutex<Writer>
    private let scratchPool = ScratchPool()
    private var graph: HNSWGraph
    private var keys: [Key?] = []

    /// What only the holder of the writer's mutex needs.
    private struct Writer: ~Copyable {
        var places: [Key: SlotAllocator.Place] = [:]
        var allocator: SlotAllocator
        var planner: ChangePlanner
    }

    /// - Throws: `.invalidConfiguration`.
    package init(_ configuration: HNSWConfiguration) throws(HNSWError) {
        try configuration.validate()
        self.configuration = configuration
        graph = HNSWGraph(configuration: configuration)
        writer = Mutex(
            Writer(
                allocator: SlotAllocator(configuration: configuration),
                planner: ChangePlanner(configuration: configuration)))
    }

    package var count: Int { lock.withReadLock { graph.count } }

    package func contains(_ key: Key) -> Bool {
        writer.withLock { $0.places[key] != nil }
    }

    package func vector(for key: Key) -> [Float]? {
        writer.withLock { writer in writer.places[key].map { graph.vectors.read($0.slot) } }
    }

    // MARK: - Searching

    package func search(
        _ query: [Float], k: Int, efSearch: Int?, where filter: ((Key) -> Bool)?, shouldStop: (() -> Bool)?
    ) throws(HNSWError) -> SearchResult<Key> {
        guard k > 0 else { throw .notPositive("k", k) }
        let breadth = efSearch ?? configuration.efSearch
        guard breadth > 0 else { throw .notPositive("efSearch", breadth) }
        let prepared = Query(try PreparedVector(query, dimension: dimension, metric: metric))
        return try scratchPool.withScratch { scratch throws(HNSWError) in
            try lock.withReadLock { () throws(HNSWError) in
                let effort = try graph.search(
                    for: prepared, k: k, breadth: breadth, admitting: slotFilter(filter), shouldStop: shouldStop,
                    scratch: &scratch)
                return SearchResult(scratch.found, effort: effort, metric: metric, key: { keys[Int($0)] })
            }
        }
    }

    private func slotFilter(_ filter: ((Key) -> Bool)?) -> ((Int32) -> Bool)? {
        guard let filter else { return nil }
        return { [keys] slot in keys[Int(slot)].map(filter) ?? false }
    }

    // MARK: - Changing

    /// Costs about what a search with `efConstruction` costs, and nothing if the key already has this vector.
    package func insert(_ vector: [Float], for key: Key) throws(HNSWError) {
        let prepared = try PreparedVector(vector, dimension: dimension, metric: metric)
        let query = Query(prepared)
        try writer.withLock { writer throws(HNSWError) in
            let old = writer.places[key]
            if let old, graph.vectors.read(old.slot) == prepared.components { return }
            let place = try writer.allocator.take()
            reserve(slots: writer.allocator.slotCount, blocks: writer.allocator.blockCount)
            graph.vectors.write(prepared, to: place.slot)
            writer.planner.draftInsertion(place, for: query, in: graph)
            lock.withWriteLock {
                graph.commitInsertion(place, draft: writer.planner.draft, replacing: old?.slot)
                keys[Int(place.slot)] = key
            }
            writer.places[key] = place
            if let old { takeOut(old, &writer) }
        }
    }

    /// Costs the comparison of the node's neighbours with each other, on each of its layers.
    @discardableResult
    package func remove(_ key: Key) -> Bool {
        writer.withLock { writer in
            guard let place = writer.places.removeValue(forKey: key) else { return false }
            takeOut(place, &writer)
            return true
        }
    }

    private func takeOut(_ place: SlotAllocator.Place, _ writer: inout Writer) {
        let entry = writer.planner.draftRemoval(of: place.slot, in: graph)
        lock.withWriteLock {
            graph.commitRemoval(of: place.slot, draft: writer.planner.draft, newEntry: entry)
            keys[Int(place.slot)] = nil
        }
        graph.vectors.erase(place.slot)
        writer.allocator.giveBack(place)
    }

    /// Makes room by half as much again, so that growing stays a constant share of inserting. Copies are made beside
    /// the searches; only the exchange locks them out.
    private func reserve(slots: Int, blocks: Int) {
        if slots > graph.vectors.capacity {
            let capacity = max(64, slots + slots / 2)
            var vectors = graph.vectors.enlarged(to: capacity)
            var newKeys = keys
            newKeys.reserveCapacity(capacity)
            newKeys.append(contentsOf: repeatElement(nil, count: capacity - keys.count))
            lock.withWriteLock {
                swap(&graph.vectors, &vectors)
                swap(&keys, &newKeys)
            }
        }
        if slots > graph.links.capacity || blocks > graph.links.blockCapacity {
            var links = graph.links.enlarged(
                capacity: graph.vectors.capacity,
                blockCapacity: max(blocks + blocks / 2, graph.links.blockCapacity))
            lock.withWriteLock { swap(&graph.links, &links) }
        }
    }

    /// Walks the whole graph; for tests and for a doubt in operation.
    ///
    /// - Returns: a sentence for each broken promise; none for a sound index.
    package func validate() -> [String] {
        writer.withLock { writer in
            var violations = graph.validate()
            for (key, place) in writer.places where keys[Int(place.slot)] != key {
                violations.append("Slot \(place.slot) does not hold the key that was put there.")
            }
            if writer.places.count != graph.count {
                violations.append("There are \(writer.places.count) keys and \(graph.count) vectors.")
            }
            return violations
        }
    }
}
