/// Comparing all of a set, where that is less work than walking.
extension HNSWGraph {
    /// Slots of a scan between two questions whether to stop.
    private static let slotsBetweenStops = 2048

    /// Leaves the `k` nearest of the slots that `next` gives in `scratch.found`, nearest first. It is exact: codes only say
    /// which vectors need not be compared.
    ///
    /// - Throws: `.interrupted`.
    func scan(
        for query: borrowing Query, k: Int, shouldStop: (() -> Bool)?, scratch: inout SearchScratch, effort: inout Effort,
        next: () -> Int32?
    ) throws(HNSWError) {
        scratch.found.removeAll()
        scratch.results.removeAll()
        var slotsUntilStop = 0
        var hasMore = true
        while hasMore {
            if slotsUntilStop <= 0 {
                if let shouldStop, shouldStop() { throw .interrupted }
                slotsUntilStop = HNSWGraph.slotsBetweenStops
            }
            scratch.block.removeAll()
            while !scratch.block.isFull {
                guard let slot = next() else {
                    hasMore = false
                    break
                }
                vectors.prefetchEstimate(slot, at: scratch.block.count)
                scratch.block.append(slot)
            }
            slotsUntilStop -= scratch.block.count
            scratch.block.estimate(query, in: vectors)
            effort.comparisons += scratch.block.count
            for index in 0..<scratch.block.count {
                let candidate = scratch.block[index]
                if vectors.hasCodes { scratch.found.append(candidate) }
                scratch.results.keepNearest(k, candidate)
            }
        }
        if vectors.hasCodes { confirm(query, k: k, scratch: &scratch, effort: &effort) }
        scratch.results.drain(into: &scratch.found)
        effort.isExact = true
    }

    /// Turns the nearest by their codes, in `scratch.results`, into the nearest of `scratch.found` by their vectors.
    private func confirm(
        _ query: borrowing Query, k: Int, scratch: inout SearchScratch, effort: inout Effort
    ) {
        // The nearest by their codes are k vectors, so the k nearest are no farther than the farthest of them.
        var farthest = -Float.infinity
        while !scratch.results.isEmpty {
            farthest = max(farthest, vectors.compare(query, scratch.results.popFirst().slot))
            effort.comparisons += 1
        }
        var near = 0
        for position in 0..<scratch.found.count {
            let candidate = scratch.found[position]
            let bound = vectors.codes.lowerBound(query, candidate.slot, compared: candidate.compared)
            if bound <= farthest {
                vectors.prefetch(candidate.slot)
                scratch.found[near] = candidate
                near += 1
            }
        }
        for position in 0..<near {
            let slot = scratch.found[position].slot
            scratch.results.keepNearest(k, Candidate(compared: vectors.compare(query, slot), slot: slot))
        }
        effort.comparisons += near
    }
}
