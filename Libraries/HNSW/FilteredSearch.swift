/// Which slots a search may report.
protocol SlotFilter {
    func admits(_ slot: Int32) -> Bool
}

/// A walk that keeps only what a filter admits.
extension HNSWGraph {
    /// Comparisons before a filter is judged by how many it let pass.
    private static let comparisonsBeforeJudging = 256

    /// Below this share of nodes that are admitted, the walk steps over those that are not.
    static let sparseShare = 0.3

    /// Leaves the `breadth` nearest admitted nodes of layer 0 in `scratch.results`, by what `VectorStore.estimate` says.
    ///
    /// Where most nodes are admitted, those that are not lead the walk on and are not kept. Where few are, comparing the
    /// others would be most of the work: instead of such a neighbour its own neighbours are looked at, and only those
    /// admitted are compared (as in ACORN, Patel and others, arXiv 2403.04871).
    ///
    /// - Parameter share: how many of the nodes are admitted, if it is known; else it is judged on the way.
    /// - Returns: false when so few nodes are admitted that a scan is cheaper than going on.
    /// - Throws: `.interrupted`.
    func walk(
        from start: Candidate, towards query: borrowing Query, breadth: Int, admitting filter: some SlotFilter,
        share: Double?, shouldStop: (() -> Bool)?, scratch: inout SearchScratch, effort: inout Effort
    ) throws(HNSWError) -> Bool {
        scratch.visited.begin(capacity: links.capacity)
        scratch.candidates.removeAll()
        scratch.results.removeAll()
        _ = scratch.visited.insert(start.slot)
        scratch.candidates.push(start)
        var isSparse = share.map { $0 < HNSWGraph.sparseShare } ?? false
        var admitted = 0
        if start.slot != hidden, filter.admits(start.slot) {
            scratch.results.push(start)
            admitted += 1
        }

        var hopsUntilStop = HNSWGraph.hopsBetweenStops
        while !scratch.candidates.isEmpty {
            let nearest = scratch.candidates.popFirst()
            if scratch.results.count == breadth, scratch.results.first.precedes(nearest) { break }

            effort.hops &+= 1
            hopsUntilStop &-= 1
            if hopsUntilStop == 0 {
                if let shouldStop, shouldStop() { throw .interrupted }
                hopsUntilStop = HNSWGraph.hopsBetweenStops
            }

            scratch.block.removeAll()
            let neighbours = links.neighbours(of: nearest.slot, onLayer: 0)
            if isSparse {
                for position in 0..<neighbours.count { links.prefetch(neighbours[position]) }
            }
            for position in 0..<neighbours.count {
                let slot = neighbours[position]
                guard scratch.visited.insert(slot) else { continue }
                if !isSparse {
                    add(slot, towards: query, breadth, filter, &admitted, &scratch, &effort)
                } else if slot != hidden, filter.admits(slot) {
                    add(slot, towards: query, breadth, filter, &admitted, &scratch, &effort)
                } else {
                    let beyond = links.neighbours(of: slot, onLayer: 0)
                    for place in 0..<beyond.count {
                        let other = beyond[place]
                        if other != hidden, filter.admits(other), scratch.visited.insert(other) {
                            add(other, towards: query, breadth, filter, &admitted, &scratch, &effort)
                        }
                    }
                }
            }
            compareBlock(towards: query, breadth, filter, &admitted, &scratch, &effort)

            if share == nil, !isSparse, effort.comparisons >= HNSWGraph.comparisonsBeforeJudging {
                if scanIsCheaper(admitted: scratch.results.count, of: effort.comparisons, breadth) { return false }
                isSparse = Double(admitted) < HNSWGraph.sparseShare * Double(effort.comparisons)
            }
        }
        return true
    }

    @inline(__always)
    private func add(
        _ slot: Int32, towards query: borrowing Query, _ breadth: Int, _ filter: some SlotFilter,
        _ admitted: inout Int, _ scratch: inout SearchScratch, _ effort: inout Effort
    ) {
        vectors.prefetchEstimate(slot, at: scratch.block.count)
        scratch.block.append(slot)
        if scratch.block.isFull { compareBlock(towards: query, breadth, filter, &admitted, &scratch, &effort) }
    }

    private func compareBlock(
        towards query: borrowing Query, _ breadth: Int, _ filter: some SlotFilter, _ admitted: inout Int,
        _ scratch: inout SearchScratch, _ effort: inout Effort
    ) {
        scratch.block.estimate(query, in: vectors)
        effort.comparisons &+= scratch.block.count
        for index in 0..<scratch.block.count {
            let candidate = scratch.block[index]
            let isAdmitted = candidate.slot != hidden && filter.admits(candidate.slot)
            if isAdmitted { admitted &+= 1 }
            if scratch.results.count < breadth {
                scratch.candidates.push(candidate)
                if isAdmitted { scratch.results.push(candidate) }
            } else if candidate.precedes(scratch.results.first) {
                scratch.candidates.push(candidate)
                if isAdmitted { scratch.results.replaceFirst(with: candidate) }
            }
        }
        scratch.block.removeAll()
    }

    /// Whether a walk that goes on as it began would compare more than a quarter of all vectors. A scan compares only
    /// those that the filter lets pass, and its order is kind to memory.
    private func scanIsCheaper(admitted: Int, of comparisons: Int, _ breadth: Int) -> Bool {
        admitted < breadth && comparisons * breadth > (admitted + 1) * (count / 4)
    }
}
