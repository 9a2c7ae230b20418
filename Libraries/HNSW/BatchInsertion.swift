internal import Dispatch
internal import Synchronization

/// Newcomers of a batch that are searched for together: enough to keep some threads busy, and few enough to be compared with
/// each other.
private let newcomersInWave = 64

extension HNSWIndex {
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
            let wave = first..<min(first + newcomersInWave, positions.upperBound)
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
}
