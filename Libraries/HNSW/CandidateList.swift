/// A list of candidates that keeps its memory from one use to the next.
@safe
struct CandidateList: ~Copyable {
    private var storage = AlignedBuffer<Candidate>(count: 256, filledWith: Candidate(compared: 0, slot: 0))
    private(set) var count = 0

    /// `position` must be in `0..<count`; it is checked in debug builds only.
    @inline(__always)
    subscript(position: Int) -> Candidate {
        get {
            assert(position >= 0 && position < count)
            return unsafe storage.base[position]
        }
        set {
            assert(position >= 0 && position < count)
            unsafe storage.base[position] = newValue
        }
    }

    var elements: [Candidate] { unsafe Array(UnsafeBufferPointer(start: storage.base, count: count)) }

    mutating func removeAll() { count = 0 }

    /// Makes the list `newCount` long; what new places hold is not defined.
    mutating func resize(to newCount: Int) {
        if newCount > storage.count {
            storage = storage.enlarged(
                to: max(newCount, storage.count * 2), filledWith: Candidate(compared: 0, slot: 0))
        }
        count = newCount
    }

    mutating func append(_ candidate: Candidate) {
        resize(to: count + 1)
        self[count - 1] = candidate
    }

    /// Puts the candidate where it belongs in a list that is sorted, nearest first.
    mutating func insertSorted(_ candidate: Candidate) {
        resize(to: count + 1)
        var position = count - 1
        while position > 0, candidate.precedes(self[position - 1]) {
            self[position] = self[position - 1]
            position -= 1
        }
        self[position] = candidate
    }
}
