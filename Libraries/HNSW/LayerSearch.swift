/// The walks over the graph: down to a layer, and over it (Algorithms 2 and 5 of the paper).
extension HNSWGraph {
    /// Hops between two questions whether to stop; with 32 neighbours each, a fraction of a millisecond.
    static let hopsBetweenStops = 128

    /// Comparisons before a filter is judged by how many it let pass.
    private static let comparisonsBeforeJudging = 256

    /// Climbs down from the entry to the node of `layer` that no neighbour there is nearer than.
    func descend(to layer: Int, towards query: borrowing Query, effort: inout Effort) -> Candidate {
        var nearest = Candidate(compared: vectors.compare(query, entry), slot: entry)
        effort.comparisons += 1
        var current = topLayer
        while current > layer {
            nearest = walkGreedily(onLayer: current, from: nearest, towards: query, effort: &effort)
            current -= 1
        }
        return nearest
    }

    private func walkGreedily(
        onLayer layer: Int, from start: Candidate, towards query: borrowing Query, effort: inout Effort
    ) -> Candidate {
        var nearest = start
        while true {
            let neighbours = links.neighbours(of: nearest.slot, onLayer: layer)
            effort.hops += 1
            effort.comparisons += neighbours.count
            var best = nearest
            var position = 0
            while position < neighbours.count {
                let slot = neighbours[position]
                let candidate = Candidate(compared: vectors.compare(query, slot), slot: slot)
                if candidate.precedes(best) { best = candidate }
                position &+= 1
            }
            if best.slot == nearest.slot { return nearest }
            nearest = best
        }
    }

    /// Leaves the `breadth` nearest nodes of a layer in `scratch.results`. Nodes that are not admitted lead the walk
    /// on and are not kept.
    ///
    /// - Returns: false when so few nodes are admitted that a scan is cheaper than going on.
    func walk(
        layer: Int, from start: Candidate, towards query: borrowing Query, breadth: Int,
        admitting isAdmitted: ((Int32) -> Bool)? = nil, shouldStop: (() -> Bool)? = nil,
        scratch: inout SearchScratch, effort: inout Effort
    ) throws(HNSWError) -> Bool {
        scratch.visited.begin(capacity: links.capacity)
        scratch.candidates.removeAll()
        scratch.results.removeAll()
        _ = scratch.visited.insert(start.slot)
        scratch.candidates.push(start)
        if admits(start.slot, isAdmitted) { scratch.results.push(start) }

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

            let neighbours = links.neighbours(of: nearest.slot, onLayer: layer)
            var position = 0
            while position < neighbours.count {
                let slot = neighbours[position]
                position &+= 1
                guard scratch.visited.insert(slot) else { continue }
                let candidate = Candidate(compared: vectors.compare(query, slot), slot: slot)
                effort.comparisons &+= 1
                if scratch.results.count < breadth {
                    scratch.candidates.push(candidate)
                    if admits(slot, isAdmitted) { scratch.results.push(candidate) }
                } else if candidate.precedes(scratch.results.first) {
                    scratch.candidates.push(candidate)
                    if admits(slot, isAdmitted) { scratch.results.replaceFirst(with: candidate) }
                }
            }

            if isAdmitted != nil, scanIsCheaper(admitted: scratch.results.count, of: effort.comparisons, breadth) {
                return false
            }
        }
        return true
    }

    @inline(__always)
    private func admits(_ slot: Int32, _ isAdmitted: ((Int32) -> Bool)?) -> Bool {
        guard slot != hidden else { return false }
        guard let isAdmitted else { return true }
        return isAdmitted(slot)
    }

    /// Whether a walk that goes on as it began would compare more than a quarter of all vectors. A scan compares only
    /// those that the filter lets pass, and its order is kind to memory.
    private func scanIsCheaper(admitted: Int, of comparisons: Int, _ breadth: Int) -> Bool {
        admitted < breadth && comparisons >= HNSWGraph.comparisonsBeforeJudging
            && comparisons * breadth > (admitted + 1) * (count / 4)
    }
}
