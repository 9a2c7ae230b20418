/// Algorithm 4 of the paper: which of a node's candidates become its neighbours.
///
/// Going from the nearest outwards, a candidate is kept if it is nearer to the node than to every one kept before;
/// so the neighbours point in different directions, and a cluster is left by its edge instead of filling the list.
struct NeighbourSelection: ~Copyable {
    /// Sorted, nearest first.
    private(set) var kept = CandidateList()
    /// Sorted, nearest first: those behind a kept one, and those for which there was no place.
    private(set) var discarded = CandidateList()

    /// - Parameter candidates: distances to the node, nearest first.
    mutating func choose(
        from candidates: borrowing CandidateList, limit: Int, keepPruned: Bool, vectors: borrowing VectorStore
    ) {
        kept.removeAll()
        discarded.removeAll()
        var position = 0
        while position < candidates.count {
            let candidate = candidates[position]
            if kept.count < limit, isNearerThanToAnyKept(candidate, vectors) {
                kept.append(candidate)
            } else {
                discarded.append(candidate)
            }
            position += 1
        }
        if keepPruned { fill(upTo: limit) }
    }

    /// Takes over what was chosen elsewhere.
    mutating func adopt(_ candidates: [Candidate]) {
        kept.removeAll()
        discarded.removeAll()
        for candidate in candidates { kept.append(candidate) }
    }

    /// All candidates in the order in which they can best be done without: first those discarded, then those kept, each
    /// from the farthest inwards.
    func dispensable(_ index: Int) -> Candidate {
        index < discarded.count
            ? discarded[discarded.count - 1 - index]
            : kept[kept.count - 1 - (index - discarded.count)]
    }

    private func isNearerThanToAnyKept(_ candidate: Candidate, _ vectors: borrowing VectorStore) -> Bool {
        var position = 0
        while position < kept.count {
            if vectors.estimate(candidate.slot, kept[position].slot) <= candidate.compared { return false }
            position &+= 1
        }
        return true
    }

    private mutating func fill(upTo limit: Int) {
        let moved = min(limit - kept.count, discarded.count)
        guard moved > 0 else { return }
        for position in 0..<moved { kept.insertSorted(discarded[position]) }
        for position in moved..<discarded.count { discarded[position - moved] = discarded[position] }
        discarded.resize(to: discarded.count - moved)
    }
}
