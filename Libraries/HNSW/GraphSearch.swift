/// A search from beginning to end.
extension HNSWGraph {
    /// Slots of a scan between two questions whether to stop.
    private static let slotsBetweenStops = 2048

    /// Leaves up to `k` of the nearest nodes in `scratch.found`, nearest first.
    func search(
        for query: borrowing Query, k: Int, breadth: Int, admitting isAdmitted: ((Int32) -> Bool)?,
        shouldStop: (() -> Bool)?, scratch: inout SearchScratch
    ) throws(HNSWError) -> Effort {
        var effort = Effort()
        scratch.found.removeAll()
        guard count > 0 else {
            effort.isExact = true
            return effort
        }
        let wanted = min(k, count)
        let start = descend(to: 0, towards: query, effort: &effort)
        let isWalked = try walk(
            layer: 0, from: start, towards: query, breadth: min(max(breadth, wanted), count), admitting: isAdmitted,
            shouldStop: shouldStop, scratch: &scratch, effort: &effort)

        // The layer is connected, so a walk that was not given up has met every node unless it found enough.
        if !isWalked || scratch.results.count < wanted {
            try scan(
                for: query, k: wanted, admitting: isAdmitted, shouldStop: shouldStop, scratch: &scratch,
                effort: &effort)
        }
        scratch.results.drain(into: &scratch.found)
        if scratch.found.count > wanted { scratch.found.resize(to: wanted) }
        return effort
    }

    /// Compares every node that is admitted.
    private func scan(
        for query: borrowing Query, k: Int, admitting isAdmitted: ((Int32) -> Bool)?, shouldStop: (() -> Bool)?,
        scratch: inout SearchScratch, effort: inout Effort
    ) throws(HNSWError) {
        scratch.results.removeAll()
        var slot: Int32 = 0
        while slot < slotCount {
            if Int(slot) % HNSWGraph.slotsBetweenStops == 0, let shouldStop, shouldStop() { throw .interrupted }
            if links.level(of: slot) >= 0, slot != hidden, isAdmitted?(slot) ?? true {
                scratch.results.keepNearest(
                    k, Candidate(compared: vectors.compare(query, slot), slot: slot))
                effort.comparisons &+= 1
            }
            slot &+= 1
        }
        effort.isExact = true
    }
}
