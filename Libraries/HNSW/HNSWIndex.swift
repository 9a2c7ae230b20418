internal import Synchronization

/// An approximate index: a hierarchical navigable small world graph (Malkov and Yashunin, arXiv 1603.09320).
///
/// A search climbs down sparse layers to the neighbourhood of the query and explores it on layer 0, where every vector
/// is; its cost grows with the logarithm of their number. Searches run while one writer inserts or removes: the writer
/// works a change out beside them and locks them out only while it is put in, some microseconds.
package final class HNSWIndex<Key: Hashable & Sendable>: VectorIndex, @unchecked Sendable {
    // Sendable, because: `graph`, `keys`, `slots` and `revision` are read under `lock` or by the holder of `writer`, and
    // changed only by the holder of both; vectors are written to slots that no search can reach yet.

    package let configuration: HNSWConfiguration
    package var dimension: Int { configuration.dimension }
    package var metric: Metric { configuration.metric }

    private let identity = IndexIdentity()

    // Seen by the extensions in Audit, BatchInsertion, Compaction and HNSWIndex+Parts, and by nobody else.
    let lock = ReaderWriterLock()
    let writer: Mutex<Writer>
    let scratchPool: ScratchPool
    var graph: HNSWGraph
    var keys: [Key?] = []
    var slots: [Key: Int32] = [:]
    /// Grows whenever a key gets another slot.
    var revision: UInt64 = 0

    /// What only the holder of the writer's mutex needs.
    struct Writer: ~Copyable {
        var allocator: SlotAllocator
        var planner: ChangePlanner
        var scratches = [NewcomerScratch()]
        /// Whether nodes are being moved to lower slots, so that memory can be given back.
        var isCompacting = false
    }

    /// - Throws: `.invalidConfiguration`; `.noFile` where the configuration names a folder.
    package init(_ configuration: HNSWConfiguration) throws(HNSWError) {
        try configuration.validate()
        self.configuration = configuration
        scratchPool = ScratchPool(dimension: configuration.dimension)
        var file: MappedFile?
        if let folder = configuration.vectorFolder { file = try MappedFile(in: folder) }
        graph = HNSWGraph(configuration: configuration, vectorFile: file)
        writer = Mutex(
            Writer(
                allocator: SlotAllocator(configuration: configuration),
                planner: ChangePlanner(configuration: configuration)))
    }

    /// Vectors that there is room for before the index grows.
    package var capacity: Int { lock.withReadLock { graph.vectors.capacity } }

    package var count: Int { lock.withReadLock { graph.count } }

    /// Whether a search would begin at once now. Else a change is being put in, or waits for a long search to end, and all others with it.
    package var isFree: Bool { lock.isReadable }

    package func contains(_ key: Key) -> Bool { lock.withReadLock { slots[key] != nil } }

    package func vector(for key: Key) -> [Float]? { lock.withReadLock { slots[key].map { graph.vectors.read($0) } } }

    // MARK: - Searching

    // As generic code translating what was found takes a twentieth of a search.
    @specialized(where Key == Int)
    package func search(
        _ vector: [Float], k: Int, efSearch: Int?, where filter: ((Key) -> Bool)?, shouldStop: (() -> Bool)?
    ) throws(HNSWError) -> SearchResult<Key> {
        guard k > 0 else { throw .notPositive("k", k) }
        let breadth = efSearch ?? configuration.efSearch
        guard breadth > 0 else { throw .notPositive("efSearch", breadth) }
        return try scratchPool.withScratch { query, scratch throws(HNSWError) in
            try query.load(vector, metric: metric)
            return try lock.withReadLock { () throws(HNSWError) in
                let effort: Effort
                if let filter {
                    effort = try graph.search(
                        for: query, k: k, breadth: breadth, admitting: KeyFilter(keys: keys, passes: filter),
                        shouldStop: shouldStop, scratch: &scratch)
                } else {
                    effort = try graph.search(
                        for: query, k: k, breadth: breadth, shouldStop: shouldStop, scratch: &scratch)
                }
                return SearchResult(scratch.found, effort: effort, metric: metric, key: { keys[Int($0)] })
            }
        }
    }

    /// The `k` nearest of those keys that the index has; fewer only when it has fewer.
    ///
    /// Few are compared one by one, which is exact; for many the graph is walked, whichever is less work.
    ///
    /// - Parameters: as for a search with a filter.
    /// - Throws: as a search with a filter.
    package func search(
        _ vector: [Float], k: Int, efSearch: Int? = nil, among selection: KeySelection<Key>,
        shouldStop: (() -> Bool)? = nil
    ) throws(HNSWError) -> SearchResult<Key> {
        guard k > 0 else { throw .notPositive("k", k) }
        let breadth = efSearch ?? configuration.efSearch
        guard breadth > 0 else { throw .notPositive("efSearch", breadth) }
        return try scratchPool.withScratch { query, scratch throws(HNSWError) in
            try query.load(vector, metric: metric)
            return try lock.withReadLock { () throws(HNSWError) in
                let found = selection.slots(
                    in: identity, revision: revision, capacity: graph.links.capacity, { slots[$0] })
                let effort = try graph.search(
                    for: query, k: k, breadth: breadth, among: found, shouldStop: shouldStop, scratch: &scratch)
                return SearchResult(scratch.found, effort: effort, metric: metric, key: { keys[Int($0)] })
            }
        }
    }

    /// As `search(_:k:efSearch:among:shouldStop:)`, for keys of one search.
    package func search(
        _ vector: [Float], k: Int, efSearch: Int? = nil, among keys: [Key], shouldStop: (() -> Bool)? = nil
    ) throws(HNSWError) -> SearchResult<Key> {
        try search(vector, k: k, efSearch: efSearch, among: KeySelection(keys), shouldStop: shouldStop)
    }

    /// A caller's filter, asked for the key of a slot.
    private struct KeyFilter: SlotFilter {
        let keys: [Key?]
        let passes: (Key) -> Bool

        func admits(_ slot: Int32) -> Bool { keys[Int(slot)].map(passes) ?? false }
    }

    // MARK: - Changing

    /// Costs about what a search with `efConstruction` costs, and nothing if the key already has this vector.
    package func insert(_ vector: [Float], for key: Key) throws(HNSWError) {
        let prepared = try prepare(vector)
        try writer.withLock { writer throws(HNSWError) in
            try insert(prepared, for: key, &writer)
        }
    }

    func prepare(_ vector: [Float]) throws(HNSWError) -> PreparedVector {
        try PreparedVector(
            vector, dimension: dimension, metric: metric, isCompact: configuration.representation == .int8OverBFloat16)
    }

    func insert(_ vector: PreparedVector, for key: Key, _ writer: inout Writer) throws(HNSWError) {
        let old = slots[key]
        if let old, graph.vectors.read(old) == vector.components { return }
        let newcomer = Newcomer(vector, at: try writer.allocator.take())
        reserve(slots: writer.allocator.slotCount, blocks: writer.allocator.blockCount)
        writer.scratches[0].search(newcomer, in: graph)
        writer.planner.draft.begin(capacity: graph.links.capacity)
        writer.planner.link(newcomer, unseen: [], in: graph)
        lock.withWriteLock {
            graph.commitInsertion([newcomer.place], draft: writer.planner.draft, replacing: old)
            put(key, at: newcomer.place.slot)
        }
        if let old { takeOut(old, nil, &writer) }
    }

    /// Costs the comparison of the node's neighbours with each other, on each of its layers.
    @discardableResult
    package func remove(_ key: Key) -> Bool {
        writer.withLock { writer in
            guard let slot = slots[key] else { return false }
            takeOut(slot, key, &writer)
            compact(&writer)
            return true
        }
    }

    /// Under the write lock.
    func put(_ key: Key, at slot: Int32) {
        keys[Int(slot)] = key
        slots[key] = slot
        revision += 1
    }

    /// - Parameter key: what is to be found no more; `nil` for a slot that an update has replaced.
    private func takeOut(_ slot: Int32, _ key: Key?, _ writer: inout Writer) {
        let place = SlotAllocator.Place(
            slot: slot, level: graph.links.level(of: slot), firstBlock: graph.links.firstBlock(of: slot))
        let entry = writer.planner.draftRemoval(of: slot, in: graph)
        lock.withWriteLock {
            graph.commitRemoval(of: slot, draft: writer.planner.draft, newEntry: entry)
            keys[Int(slot)] = nil
            if let key { slots[key] = nil }
            revision += 1
        }
        graph.vectors.erase(slot)
        writer.allocator.giveBack(place)
    }

    /// Makes room by half as much again, so that growing stays a constant share of inserting. Only pages change their
    /// place, which locks searches out for microseconds; keys are copied beside them.
    func reserve(slots: Int, blocks: Int) {
        if slots > graph.vectors.capacity || blocks > graph.links.blockCapacity {
            let capacity = slots > graph.vectors.capacity ? max(64, slots + slots / 2) : graph.vectors.capacity
            let blockCapacity = blocks > graph.links.blockCapacity ? blocks + blocks / 2 : graph.links.blockCapacity
            var newKeys = keys
            newKeys.reserveCapacity(capacity)
            newKeys.append(contentsOf: repeatElement(nil, count: capacity - keys.count))
            var newSlots = self.slots
            newSlots.reserveCapacity(capacity)
            lock.withWriteLock {
                graph.grow(to: capacity, blockCapacity: blockCapacity)
                swap(&keys, &newKeys)
                swap(&self.slots, &newSlots)
            }
        }
    }

    /// Walks the whole graph; for tests and for a doubt in operation.
    ///
    /// - Returns: a sentence for each broken promise; none for a sound index.
    package func validate() -> [String] {
        writer.withLock { _ in
            var violations = graph.validate()
            for (key, slot) in slots where keys[Int(slot)] != key {
                violations.append("Slot \(slot) does not hold the key that was put there.")
            }
            if slots.count != graph.count {
                violations.append("There are \(slots.count) keys and \(graph.count) vectors.")
            }
            return violations
        }
    }
}
