/// A search from beginning to end.
extension HNSWGraph {
    /// Leaves up to `k` of the nearest nodes in `scratch.found`, nearest first, with what comparing their vectors gave.
    ///
    /// - Throws: `.interrupted`.
    func search(
        for query: borrowing Query, k: Int, breadth: Int, shouldStop: (() -> Bool)?, scratch: inout SearchScratch
    ) throws(HNSWError) -> Effort {
        var effort = Effort()
        scratch.found.removeAll()
        guard count > 0 else {
            effort.isExact = true
            return effort
        }
        let wanted = min(k, count)
        let start = descend(to: 0, towards: query, scratch: &scratch, effort: &effort)
        // The layer is connected, so a walk meets every node unless it finds enough.
        let breadth = min(max(breadth, wanted), count)
        try walk(
            layer: 0, from: start, towards: query, breadth: hidden < 0 ? breadth : breadth + 1, shouldStop: shouldStop,
            scratch: &scratch, effort: &effort)
        for position in 0..<scratch.beam.count {
            let candidate = scratch.beam[position]
            if candidate.slot != hidden { scratch.found.append(candidate) }
        }
        compareAgain(query, k: wanted, scratch: &scratch, effort: &effort)
        return effort
    }

    /// As above, of those that are admitted; `share` of all, if it is known.
    func search(
        for query: borrowing Query, k: Int, breadth: Int, admitting filter: some SlotFilter, share: Double? = nil,
        shouldStop: (() -> Bool)?, scratch: inout SearchScratch
    ) throws(HNSWError) -> Effort {
        var effort = Effort()
        scratch.found.removeAll()
        guard count > 0 else {
            effort.isExact = true
            return effort
        }
        let wanted = min(k, count)
        let start = descend(to: 0, towards: query, scratch: &scratch, effort: &effort)
        let isWalked = try walk(
            from: start, towards: query, breadth: min(max(breadth, wanted), count), admitting: filter, share: share,
            shouldStop: shouldStop, scratch: &scratch, effort: &effort)
        if isWalked, scratch.results.count >= wanted {
            scratch.results.drain(into: &scratch.found)
            compareAgain(query, k: wanted, scratch: &scratch, effort: &effort)
        } else {
            var slot: Int32 = -1
            try scan(for: query, k: wanted, shouldStop: shouldStop, scratch: &scratch, effort: &effort) {
                slot &+= 1
                while slot < slotCount {
                    if links.level(of: slot) >= 0, slot != hidden, filter.admits(slot) { return slot }
                    slot &+= 1
                }
                return nil
            }
        }
        return effort
    }

    /// How many of what a walk found by codes are compared by their vectors. The code of a true neighbour can stand behind
    /// those of some others; with twice k the share that is lost so is below a thousandth on embeddings.
    private func comparedAgain(_ k: Int) -> Int { 2 * k }

    /// Puts the nearest of `scratch.found` in the order that their vectors give them, and leaves `k`.
    private func compareAgain(
        _ query: borrowing Query, k: Int, scratch: inout SearchScratch, effort: inout Effort
    ) {
        if vectors.hasCodes {
            let count = min(scratch.found.count, comparedAgain(k))
            for position in 0..<count { vectors.prefetch(scratch.found[position].slot) }
            scratch.results.removeAll()
            for position in 0..<count {
                let slot = scratch.found[position].slot
                scratch.results.keepNearest(k, Candidate(compared: vectors.compare(query, slot), slot: slot))
            }
            effort.comparisons += count
            scratch.results.drain(into: &scratch.found)
        }
        if scratch.found.count > k { scratch.found.resize(to: k) }
    }
}
