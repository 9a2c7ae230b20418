/// What keeps every layer connected while its nodes may have only so many neighbours.
///
/// A link may end if both of its nodes have another neighbour in common: whoever went over it can go by that one.
/// So no change can cut a node off, and a search can reach everything that is in the index.
extension ChangePlanner {
    func markNeighbours(of node: Int32, in graph: borrowing HNSWGraph) {
        marked.begin(capacity: graph.links.capacity)
        let neighbours = draft.neighbours(of: node, in: graph.links)
        for position in 0..<neighbours.count { _ = marked.insert(neighbours[position]) }
    }

    /// Whether `other` has a neighbour among the marked.
    func hasMarkedNeighbour(_ other: Int32, besides node: Int32, in graph: borrowing HNSWGraph) -> Bool {
        let neighbours = draft.neighbours(of: other, in: graph.links)
        var position = 0
        while position < neighbours.count {
            let slot = neighbours[position]
            if slot != node, marked.contains(slot) { return true }
            position &+= 1
        }
        return false
    }

    /// A node that is connected with `node` and may take one more neighbour: itself, if it can end a link, or else
    /// the first such node around it. Ends that link.
    func nodeWithRoom(near node: Int32, limit: Int, in graph: borrowing HNSWGraph) -> Int32 {
        var queue = [node]
        var met: Set<Int32> = [node]
        var next = 0
        while next < queue.count {
            let current = queue[next]
            next += 1
            if hasRoom(current, limit: limit, in: graph) || endSpareLink(of: current, in: graph) { return current }
            for neighbour in list(of: current, in: graph) where met.insert(neighbour).inserted {
                queue.append(neighbour)
            }
        }
        // Every node has its full number of neighbours and no two neighbours know each other. There are at least two
        // each, so there is a cycle, and a link on a cycle can be spared.
        for current in queue {
            for neighbour in list(of: current, in: graph) {
                draft.unlink(current, neighbour, in: graph.links)
                if isConnected(current, neighbour, in: graph) { return current }
                draft.link(current, neighbour, in: graph.links)
            }
        }
        preconditionFailure("A finite layer whose nodes all have two neighbours or more has a cycle.")
    }

    func hasRoom(_ node: Int32, limit: Int, in graph: borrowing HNSWGraph) -> Bool {
        draft.neighbours(of: node, in: graph.links).count < limit
    }

    /// Ends the longest link of the node that leaves its ends with a neighbour in common.
    private func endSpareLink(of node: Int32, in graph: borrowing HNSWGraph) -> Bool {
        markNeighbours(of: node, in: graph)
        var farthest: Candidate?
        for other in list(of: node, in: graph) where hasMarkedNeighbour(other, besides: node, in: graph) {
            let candidate = Candidate(compared: graph.vectors.estimate(node, other), slot: other)
            if farthest?.precedes(candidate) ?? true { farthest = candidate }
        }
        guard let farthest else { return false }
        draft.unlink(node, farthest.slot, in: graph.links)
        return true
    }

    private func isConnected(_ a: Int32, _ b: Int32, in graph: borrowing HNSWGraph) -> Bool {
        var queue = [a]
        var met: Set<Int32> = [a]
        var next = 0
        while next < queue.count {
            for neighbour in list(of: queue[next], in: graph) where met.insert(neighbour).inserted {
                if neighbour == b { return true }
                queue.append(neighbour)
            }
            next += 1
        }
        return false
    }

    func list(of node: Int32, in graph: borrowing HNSWGraph) -> [Int32] {
        let neighbours = draft.neighbours(of: node, in: graph.links)
        return (0..<neighbours.count).map { neighbours[$0] }
    }
}
