/// The walks over the graph: down to a layer, and over it (Algorithms 2 and 5 of the paper).
extension HNSWGraph {
    /// Hops between two questions whether to stop; with 32 neighbours each, a fraction of a millisecond.
    static let hopsBetweenStops = 128

    /// Climbs down from the entry to the node of `layer` that no neighbour there is nearer than.
    func descend(
        to layer: Int, towards query: borrowing Query, scratch: inout SearchScratch, effort: inout Effort
    ) -> Candidate {
        scratch.block.removeAll()
        scratch.block.append(entry)
        scratch.block.estimate(query, in: vectors)
        effort.comparisons += 1
        var nearest = scratch.block[0]
        var current = topLayer
        while current > layer {
            nearest = walkGreedily(onLayer: current, from: nearest, towards: query, scratch: &scratch, effort: &effort)
            current -= 1
        }
        return nearest
    }

    private func walkGreedily(
        onLayer layer: Int, from start: Candidate, towards query: borrowing Query, scratch: inout SearchScratch,
        effort: inout Effort
    ) -> Candidate {
        var best = start
        while true {
            let nearest = best
            let neighbours = links.neighbours(of: nearest.slot, onLayer: layer)
            effort.hops += 1
            effort.comparisons += neighbours.count
            var position = 0
            while position < neighbours.count {
                scratch.block.removeAll()
                while position < neighbours.count, !scratch.block.isFull {
                    vectors.prefetchEstimate(neighbours[position], at: scratch.block.count)
                    scratch.block.append(neighbours[position])
                    position &+= 1
                }
                scratch.block.estimate(query, in: vectors)
                for index in 0..<scratch.block.count where scratch.block[index].precedes(best) {
                    best = scratch.block[index]
                }
            }
            if best.slot == nearest.slot { return nearest }
        }
    }

    /// Leaves the `breadth` nearest nodes of a layer in `scratch.beam`, by what `VectorStore.estimate` says.
    ///
    /// - Throws: `.interrupted`.
    func walk(
        layer: Int, from start: Candidate, towards query: borrowing Query, breadth: Int,
        shouldStop: (() -> Bool)? = nil, scratch: inout SearchScratch, effort: inout Effort
    ) throws(HNSWError) {
        scratch.visited.begin(capacity: links.capacity)
        scratch.beam.begin(breadth: breadth)
        _ = scratch.visited.insert(start.slot)
        scratch.beam.insert(start.slot, start.compared)

        var hopsUntilStop = HNSWGraph.hopsBetweenStops
        while let nearest = scratch.beam.visitNearest() {
            effort.hops &+= 1
            hopsUntilStop &-= 1
            if hopsUntilStop == 0 {
                if let shouldStop, shouldStop() { throw .interrupted }
                hopsUntilStop = HNSWGraph.hopsBetweenStops
            }
            let neighbours = links.neighbours(of: nearest, onLayer: layer)
            var position = 0
            while position < neighbours.count {
                scratch.block.removeAll()
                while position < neighbours.count, !scratch.block.isFull {
                    let slot = neighbours[position]
                    position &+= 1
                    guard scratch.visited.insert(slot) else { continue }
                    vectors.prefetchEstimate(slot, at: scratch.block.count)
                    scratch.block.append(slot)
                }
                // Most often the next to be visited is known before its turn comes.
                if layer == 0, let next = scratch.beam.next { links.prefetch(next) }
                scratch.block.estimate(query, in: vectors)
                effort.comparisons &+= scratch.block.count
                var index = 0
                while index < scratch.block.count {
                    let candidate = scratch.block[index]
                    scratch.beam.insert(candidate.slot, candidate.compared)
                    index &+= 1
                }
            }
        }
    }
}
