internal import Dispatch
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

    private let lock = ReaderWriterLock()
    private let writer: Mutex<Writer>
    private let scratchPool: ScratchPool
    private var graph: HNSWGraph
    private var keys: [Key?] = []
    private var slots: [Key: Int32] = [:]
    /// Grows whenever a key gets another slot.
    private var revision: UInt64 = 0

    /// What only the holder of the writer's mutex needs.
    private struct Writer: ~Copyable {
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

    package func contains(_ key: Key) -> Bool { lock.withReadLock { slots[key] != nil } }

    package func vector(for key: Key) -> [Float]? { lock.withReadLock { slots[key].map { graph.vectors.read($0) } } }

    // MARK: - Searching

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
                    in: self, revision: revision, capacity: graph.links.capacity, { slots[$0] })
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

    private func prepare(_ vector: [Float]) throws(HNSWError) -> PreparedVector {
        try PreparedVector(
            vector, dimension: dimension, metric: metric, isCompact: configuration.representation == .int8OverBFloat16)
    }

    private func insert(_ vector: PreparedVector, for key: Key, _ writer: inout Writer) throws(HNSWError) {
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

    /// Inserts many, on several threads. The graph is the same for every number of threads.
    ///
    /// Further writers wait until the last is in; searches go on, and see the vectors come in a wave after the other.
    ///
    /// - Throws: as `insert`; the vectors before a wave that did not fit are in.
    package func insert(_ entries: [(key: Key, vector: [Float])], threads: Int) throws(HNSWError) {
        guard threads > 0 else { throw .notPositive("threads", threads) }
        var vectors: [PreparedVector] = []
        vectors.reserveCapacity(entries.count)
        for entry in entries { vectors.append(try prepare(entry.vector)) }
        try writer.withLock { writer throws(HNSWError) in
            while writer.scratches.count < threads { writer.scratches.append(NewcomerScratch()) }
            let keys = entries.map(\.key)
            var next = 0
            while next < keys.count {
                // Keys that are there, or come twice, are updates: they go in one by one.
                var new: Set<Key> = []
                let first = next
                while next < keys.count, slots[keys[next]] == nil, new.insert(keys[next]).inserted {
                    next += 1
                }
                try insertNew(first..<next, of: keys, vectors, threads: threads, &writer)
                if next < keys.count {
                    try insert(vectors[next], for: keys[next], &writer)
                    next += 1
                }
            }
        }
    }

    /// Waves of newcomers: while those of one are being linked into a draft by one thread, the others search for those of
    /// the next; what neither search could see, because it was not in the graph yet, is compared when they are linked.
    private func insertNew(
        _ positions: Range<Int>, of keys: [Key], _ vectors: [PreparedVector], threads: Int, _ writer: inout Writer
    ) throws(HNSWError) {
        var linked: [Newcomer] = []
        var searched: [Newcomer] = []
        var first = positions.lowerBound
        while first < positions.upperBound || !searched.isEmpty {
            let wave = first..<min(first + waveSize, positions.upperBound)
            var arriving: [Newcomer] = []
            for position in wave { arriving.append(Newcomer(vectors[position], at: try writer.allocator.take())) }
            reserve(slots: writer.allocator.slotCount, blocks: writer.allocator.blockCount)
            search(for: arriving, linking: searched, unseen: linked, threads: threads, writer)
            if !searched.isEmpty {
                lock.withWriteLock {
                    graph.commitInsertion(searched.map(\.place), draft: writer.planner.draft, replacing: nil)
                    for (number, newcomer) in searched.enumerated() {
                        put(keys[first - searched.count + number], at: newcomer.place.slot)
                    }
                }
            }
            (linked, searched) = (searched, arriving)
            first = wave.upperBound
        }
    }

    private let waveSize = 16

    /// Only reads the graph, on all threads.
    private func search(
        for arriving: [Newcomer], linking searched: [Newcomer], unseen: [Newcomer], threads: Int, _ writer: borrowing Writer
    ) {
        let next = Atomic(0)
        let (planner, scratches) = (writer.planner, writer.scratches)
        planner.draft.begin(capacity: graph.links.capacity)
        DispatchQueue.concurrentPerform(iterations: min(threads, 1 + arriving.count)) { thread in
            if thread == 0 {
                for (number, newcomer) in searched.enumerated() {
                    planner.link(newcomer, unseen: unseen + searched[..<number], in: graph)
                }
            }
            while true {
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < arriving.count else { return }
                scratches[thread].search(arriving[position], in: graph)
            }
        }
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
    private func put(_ key: Key, at slot: Int32) {
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

    private let slotsWorthCompacting = 256
    private let movesAtOnce = 64

    /// Once more than half of the slots are free, moves nodes from the last slots to the first free ones, some with each
    /// removal, and gives the memory behind them back in the end. A node moves under the write lock, in a microsecond:
    /// since links are mutual, it knows all who name its slot.
    private func compact(_ writer: inout Writer) {
        if !writer.isCompacting {
            let slotCount = writer.allocator.slotCount
            guard slotCount >= slotsWorthCompacting, slotCount > 2 * slots.count else { return }
            writer.allocator.sortFree()
            writer.isCompacting = true
        }
        for _ in 0..<movesAtOnce {
            var last = writer.allocator.slotCount - 1
            while last >= 0, graph.links.level(of: Int32(last)) < 0 { last -= 1 }
            writer.allocator.cut(to: last + 1)
            guard let target = writer.allocator.takeFree() else {
                writer.isCompacting = false
                return giveBack(behind: last + 1)
            }
            move(Int32(last), to: target)
        }
    }

    private func move(_ source: Int32, to target: Int32) {
        graph.vectors.move(source, to: target)
        lock.withWriteLock {
            graph.commitMove(of: source, to: target)
            if let key = keys[Int(source)] { put(key, at: target) }
            keys[Int(source)] = nil
        }
        graph.vectors.erase(source)
    }

    private func giveBack(behind slotCount: Int) {
        let capacity = max(64, slotCount + slotCount / 2)
        guard capacity < graph.vectors.capacity else { return }
        var newKeys = Array(keys.prefix(capacity))
        var newSlots = [Key: Int32](minimumCapacity: capacity)
        for (key, slot) in slots { newSlots[key] = slot }
        lock.withWriteLock {
            graph.cut(to: slotCount)
            graph.shrink(to: capacity)
            swap(&keys, &newKeys)
            swap(&slots, &newSlots)
            revision += 1
        }
    }

    /// Makes room by half as much again, so that growing stays a constant share of inserting. Only pages change their
    /// place, which locks searches out for microseconds; keys are copied beside them.
    private func reserve(slots: Int, blocks: Int) {
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
