internal import Synchronization

/// The memory that one search works in.
struct SearchScratch: ~Copyable {
    var visited = VisitedSet()
    /// Nodes whose neighbours are still to be looked at.
    var candidates = CandidateHeap(.nearestFirst)
    /// The nearest found so far.
    var results = CandidateHeap(.farthestFirst)
    /// What the search ends with, nearest first.
    var found = CandidateList()
}

/// Lends scratch memory to searches. It comes to hold as many as there were ever searches at one time.
final class ScratchPool: Sendable {
    /// Safe to hand between threads: whoever took it from the pool is the only one to touch it.
    private final class Box: @unchecked Sendable {
        var scratch = SearchScratch()
    }

    private let idle = Mutex<[Box]>([])

    func withScratch<Value, Failure: Error>(
        _ body: (inout SearchScratch) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let box = idle.withLock { $0.popLast() } ?? Box()
        defer { idle.withLock { $0.append(box) } }
        return try body(&box.scratch)
    }
}
