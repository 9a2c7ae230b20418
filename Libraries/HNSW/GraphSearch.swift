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

    /// As above, of the slots of a set: by a scan or by a walk, whichever is less work.
    func search(
        for query: borrowing Query, k: Int, breadth: Int, among set: SlotSet, shouldStop: (() -> Bool)?,
        scratch: inout SearchScratch
    ) throws(HNSWError) -> Effort {
        let wanted = min(k, set.slots.count)
        let share = Double(set.slots.count) / Double(max(1, count))
        if Double(set.slots.count) > HNSWGraph.walkWork(breadth: min(max(breadth, wanted), count), share: share) {
            return try search(
                for: query, k: wanted, breadth: breadth, admitting: set, share: share, shouldStop: shouldStop,
                scratch: &scratch)
        }
        var effort = Effort()
        var position = -1
        try scan(for: query, k: wanted, shouldStop: shouldStop, scratch: &scratch, effort: &effort) {
            position &+= 1
            return position < set.slots.count ? set.slots[position] : nil
        }
        return effort
    }

    /// What a filtered walk costs, in slots of a scan: as measured on 125,000 vectors of 384 components, where a comparison of
    /// a walk took three times one of a scan, and looking at neighbours' neighbours two comparisons of a scan for each
    /// that is compared.
    private static func walkWork(breadth: Int, share: Double) -> Double {
        let comparisons = Double(100 + 12 * breadth)
        return share < sparseShare ? 3 * comparisons + 60 * Double(breadth) : 3 * comparisons / share
    }

    /// How many of what a walk found by codes are compared by their vectors. The code of a true neighbour can stand behind
    /// those of some others; with ten more, or twice k, the share that is lost so is below a thousandth on embeddings.
    private func comparedAgain(_ k: Int) -> Int { k + max(k, 10) }

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
