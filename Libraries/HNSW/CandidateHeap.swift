/// A binary heap of candidates that keeps its memory from one search to the next.
@safe
struct CandidateHeap: ~Copyable {
    enum Order { case nearestFirst, farthestFirst }

    private let order: Order
    private var storage = AlignedBuffer<Candidate>(count: 256, filledWith: Candidate(compared: 0, slot: 0))
    private(set) var count = 0

    init(_ order: Order) { self.order = order }

    var isEmpty: Bool { count == 0 }

    /// The candidate that `popFirst` would take; there must be one.
    @inline(__always)
    var first: Candidate { unsafe storage.base[0] }

    mutating func removeAll() { count = 0 }

    mutating func push(_ candidate: Candidate) {
        if count == storage.count {
            storage = storage.enlarged(to: count * 2, filledWith: Candidate(compared: 0, slot: 0))
        }
        let heap = unsafe storage.base
        var hole = count
        count &+= 1
        while hole > 0 {
            let parent = (hole &- 1) / 2
            guard unsafe comesBefore(candidate, heap[parent]) else { break }
            unsafe heap[hole] = heap[parent]
            hole = parent
        }
        unsafe heap[hole] = candidate
    }

    /// There must be a candidate.
    mutating func popFirst() -> Candidate {
        precondition(count > 0)
        let first = self.first
        count &-= 1
        if count > 0 { unsafe sink(storage.base[count]) }
        return first
    }

    /// As `popFirst` and `push`, in one pass.
    mutating func replaceFirst(with candidate: Candidate) { sink(candidate) }

    /// Takes the candidate in if it is one of the `limit` nearest; for a heap whose first is the farthest.
    mutating func keepNearest(_ limit: Int, _ candidate: Candidate) {
        if count < limit {
            push(candidate)
        } else if limit > 0, candidate.precedes(first) {
            replaceFirst(with: candidate)
        }
    }

    /// Empties the heap into `list`, nearest first.
    mutating func drain(into list: inout CandidateList) {
        list.resize(to: count)
        switch order {
        case .nearestFirst:
            var position = 0
            while count > 0 {
                list[position] = popFirst()
                position &+= 1
            }
        case .farthestFirst:
            while count > 0 { list[count &- 1] = popFirst() }
        }
    }

    /// Puts the candidate at the top and lets it sink to its place.
    @inline(__always)
    private mutating func sink(_ candidate: Candidate) {
        let heap = unsafe storage.base
        var hole = 0
        while true {
            var child = 2 &* hole &+ 1
            guard child < count else { break }
            if child &+ 1 < count, unsafe comesBefore(heap[child &+ 1], heap[child]) { child &+= 1 }
            guard unsafe comesBefore(heap[child], candidate) else { break }
            unsafe heap[hole] = heap[child]
            hole = child
        }
        unsafe heap[hole] = candidate
    }

    @inline(__always)
    private func comesBefore(_ a: Candidate, _ b: Candidate) -> Bool {
        order == .nearestFirst ? a.precedes(b) : b.precedes(a)
    }
}
