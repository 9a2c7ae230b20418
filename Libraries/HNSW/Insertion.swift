/// Links newcomers into a draft; `HNSWGraph.commitInsertion` puts it in.
extension ChangePlanner {
    /// - Parameter unseen: those that came into the graph or the draft after the newcomer's search began.
    func link(_ newcomer: Newcomer, unseen: some Sequence<Newcomer>, in graph: borrowing HNSWGraph) {
        var layer = newcomer.place.level
        while layer >= 0 {
            draft.openLayer(layer)
            draft.addNode(newcomer.place.slot)
            chooseNeighbours(of: newcomer, onLayer: layer, unseen: unseen, in: graph)
            if nearby.count > 0 {
                connect(newcomer.place.slot, nearest: nearby[0].slot, onLayer: layer, in: graph)
            }
            layer -= 1
        }
    }

    /// Leaves the neighbours in `chosen.kept` and all that were found near the newcomer in `nearby`.
    private func chooseNeighbours(
        of newcomer: Newcomer, onLayer layer: Int, unseen: some Sequence<Newcomer>, in graph: borrowing HNSWGraph
    ) {
        let isFound = layer < newcomer.found.count
        nearby.removeAll()
        if isFound { for candidate in newcomer.found[layer] { nearby.append(candidate) } }
        let breadth = max(graph.configuration.efConstruction, graph.configuration.m)
        var hasNew = false
        for other in unseen where other.place.level >= layer {
            let slot = other.place.slot
            let candidate = Candidate(compared: graph.vectors.estimate(newcomer.place.slot, slot), slot: slot)
            if nearby.count < breadth || candidate.precedes(nearby[nearby.count - 1]) {
                nearby.insertSorted(candidate)
                if nearby.count > breadth { nearby.resize(to: breadth) }
                hasNew = true
            }
        }
        if isFound, !hasNew {
            chosen.adopt(newcomer.chosen[layer])
        } else {
            chosen.choose(
                from: nearby, limit: graph.configuration.m, keepPruned: graph.configuration.keepPruned,
                vectors: graph.vectors)
        }
    }

    private func connect(
        _ newcomer: Int32, nearest: Int32, onLayer layer: Int, in graph: borrowing HNSWGraph
    ) {
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
    private func makeRoom(
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

    private func rankNeighbours(of node: Int32, in graph: borrowing HNSWGraph) {
        ranked.removeAll()
        let neighbours = draft.neighbours(of: node, in: graph.links)
        for position in 0..<neighbours.count {
            let slot = neighbours[position]
            ranked.insertSorted(Candidate(compared: graph.vectors.estimate(node, slot), slot: slot))
        }
    }
}
