internal import Synchronization

/// The memory that one search works in.
struct SearchScratch: ~Copyable {
    var visited = VisitedSet()
    var beam = Beam()
    /// What is to be compared next.
    var block = SlotBlock()
    /// Nodes whose neighbours are still to be looked at by a filtered walk, and the nearest that it admitted.
    var candidates = CandidateHeap(.nearestFirst)
    var results = CandidateHeap(.farthestFirst)
    /// What the search ends with, nearest first.
    var found = CandidateList()
}

/// Lends scratch memory to searches. It comes to hold as many as there were ever searches at one time.
final class ScratchPool: Sendable {
    /// Safe to hand between threads: whoever took it from the pool is the only one to touch it.
    private final class Box: @unchecked Sendable {
        var query: Query
        var scratch = SearchScratch()
        init(dimension: Int) { query = Query(dimension: dimension) }
    }

    private let idle = Mutex<[Box]>([])
    private let dimension: Int

    init(dimension: Int) { self.dimension = dimension }

    func withScratch<Value, Failure: Error>(
        _ body: (inout Query, inout SearchScratch) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let box = idle.withLock { $0.popLast() } ?? Box(dimension: dimension)
        defer { idle.withLock { $0.append(box) } }
        return try body(&box.query, &box.scratch)
    }
}
