/// Algorithm 1 of the paper, up to the links; `HNSWGraph.commitInsertion` puts them in.
extension ChangePlanner {
    mutating func draftInsertion(
        _ place: SlotAllocator.Place, for query: borrowing Query, in graph: borrowing HNSWGraph
    ) {
        draft.begin(capacity: graph.links.capacity)
        guard graph.entry >= 0 else { return }

        var layer = min(place.level, graph.topLayer)
        var effort = Effort()
        var nearest = graph.descend(to: layer, towards: query, effort: &effort)
        while layer >= 0 {
            nearest = search(layer, from: nearest, for: query, in: graph)
            chosen.choose(
                from: scratch.found, limit: graph.configuration.m, keepPruned: graph.configuration.keepPruned,
                vectors: graph.vectors)
            connect(place.slot, nearest: nearest.slot, onLayer: layer, in: graph)
            layer -= 1
        }
    }

    /// Leaves the nearest nodes of the layer in `scratch.found` and returns the first.
    private mutating func search(
        _ layer: Int, from start: Candidate, for query: borrowing Query, in graph: borrowing HNSWGraph
    ) -> Candidate {
        var effort = Effort()
        // Without a filter and without `shouldStop` a walk always ends, and by itself.
        _ = try? graph.walk(
            layer: layer, from: start, towards: query,
            breadth: max(graph.configuration.efConstruction, graph.configuration.m), scratch: &scratch,
            effort: &effort)
        scratch.results.drain(into: &scratch.found)
        return scratch.found[0]
    }

    private mutating func connect(
        _ newcomer: Int32, nearest: Int32, onLayer layer: Int, in graph: borrowing HNSWGraph
    ) {
        draft.openLayer(layer)
        draft.addNode(newcomer)
        let limit = graph.links.limit(onLayer: layer)
        for position in 0..<chosen.kept.count {
            let neighbour = chosen.kept[position].slot
            draft.link(newcomer, neighbour, in: graph.links)
            if draft.neighbours(of: neighbour, in: graph.links).count > limit {
                makeRoom(at: neighbour, for: newcomer, limit: limit, in: graph)
            }
        }
        if draft.neighbours(of: newcomer, in: graph.links).count == 0 {
            let host = nodeWithRoom(near: nearest, limit: limit, in: graph)
            draft.link(newcomer, host, in: graph.links)
        }
    }

    /// Ends one of the node's links, now one too many, so that what is left serves a search best: rather one behind
    /// a nearer neighbour, rather a far one, and only one that leaves the layer connected. If there is none such, the
    /// newcomer is turned away.
    private mutating func makeRoom(
        at node: Int32, for newcomer: Int32, limit: Int, in graph: borrowing HNSWGraph
    ) {
        rankNeighbours(of: node, in: graph)
        thinned.choose(from: ranked, limit: limit, keepPruned: false, vectors: graph.vectors)
        markNeighbours(of: node, in: graph)
        let mayRefuse = draft.neighbours(of: newcomer, in: graph.links).count > 1

        for index in 0..<ranked.count {
            let other = thinned.dispensable(index).slot
            if other == newcomer ? mayRefuse : hasMarkedNeighbour(other, besides: node, in: graph) {
                draft.unlink(node, other, in: graph.links)
                return
            }
        }
        draft.unlink(node, newcomer, in: graph.links)
    }

    private mutating func rankNeighbours(of node: Int32, in graph: borrowing HNSWGraph) {
        ranked.removeAll()
        let neighbours = draft.neighbours(of: node, in: graph.links)
        for position in 0..<neighbours.count {
            let slot = neighbours[position]
            ranked.insertSorted(Candidate(compared: graph.vectors.compare(node, slot), slot: slot))
        }
    }
}
