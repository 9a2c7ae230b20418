/// Takes a node out of the graph and joins those it leaves behind, so that nothing of it has to stay as a tombstone.
extension ChangePlanner {
    /// - Returns: where searches enter from now on; -1 if the node was the last.
    func draftRemoval(of slot: Int32, in graph: borrowing HNSWGraph) -> Int32 {
        draft.begin(capacity: graph.links.capacity)
        var newEntry = graph.entry == slot ? -1 : graph.entry
        var layer = graph.links.level(of: slot)
        while layer >= 0 {
            draft.openLayer(layer)
            let orphans = list(of: slot, in: graph)
            // The entry is on the top layer, which is connected: if it has no neighbour there, it is alone there, and
            // the highest layer where it has one is the top layer to come.
            if newEntry < 0, let first = orphans.first { newEntry = first }
            for orphan in orphans { draft.unlink(slot, orphan, in: graph.links) }
            reconnect(orphans, limit: graph.links.limit(onLayer: layer), in: graph)
            layer -= 1
        }
        return newEntry
    }

    private struct Pair {
        let compared: Float
        let first: Int
        let second: Int
    }

    /// Every orphan has just lost a neighbour, so nearly always each can take one of the others: the nearest pairs
    /// are joined first. Where a part of the graph hung on the removed node alone, room is made for one more link.
    private func reconnect(_ orphans: [Int32], limit: Int, in graph: borrowing HNSWGraph) {
        guard orphans.count > 1 else { return }
        var pairs: [Pair] = []
        pairs.reserveCapacity(orphans.count * (orphans.count - 1) / 2)
        for first in orphans.indices {
            for second in (first + 1)..<orphans.count {
                let compared = graph.vectors.estimate(orphans[first], orphans[second])
                pairs.append(Pair(compared: compared, first: first, second: second))
            }
        }
        pairs.sort { ($0.compared, $0.first, $0.second) < ($1.compared, $1.first, $1.second) }

        var islands = findIslands(orphans, in: graph)
        for pair in pairs {
            let (a, b) = (orphans[pair.first], orphans[pair.second])
            guard hasRoom(a, limit: limit, in: graph), hasRoom(b, limit: limit, in: graph),
                !draft.neighbours(of: a, in: graph.links).contains(b)
            else { continue }
            draft.link(a, b, in: graph.links)
            islands.join(pair.first, pair.second)
        }
        for pair in pairs where islands.root(of: pair.first) != islands.root(of: pair.second) {
            let a = nodeWithRoom(near: orphans[pair.first], limit: limit, in: graph)
            let b = nodeWithRoom(near: orphans[pair.second], limit: limit, in: graph)
            // They can turn out to be one place: the islands were connected farther out.
            if a != b, !draft.neighbours(of: a, in: graph.links).contains(b) { draft.link(a, b, in: graph.links) }
            islands.join(pair.first, pair.second)
        }
    }

    /// Which orphans are connected without the removed node, as far as one step from each shows it. Two islands may
    /// be connected farther out; joining them does no harm.
    private func findIslands(_ orphans: [Int32], in graph: borrowing HNSWGraph) -> DisjointSets {
        var islands = DisjointSets(count: orphans.count)
        for first in orphans.indices {
            markNeighbours(of: orphans[first], in: graph)
            for second in (first + 1)..<orphans.count where islands.root(of: first) != islands.root(of: second) {
                let other = orphans[second]
                if marked.contains(other) || hasMarkedNeighbour(other, besides: orphans[first], in: graph) {
                    islands.join(first, second)
                }
            }
        }
        return islands
    }
}

/// Union-find over a few dozen positions.
private struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    func root(of position: Int) -> Int {
        var position = position
        while parents[position] != position { position = parents[position] }
        return position
    }

    mutating func join(_ a: Int, _ b: Int) { parents[root(of: a)] = root(of: b) }
}
