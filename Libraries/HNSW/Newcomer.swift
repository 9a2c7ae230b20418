/// A node on its way into the graph: its vector, its place, and what a search found near it on each of its layers.
///
/// Many can search at one time, each on a thread of its own: the graph is only read. Linking them is one writer's work.
final class Newcomer: @unchecked Sendable {
    let place: SlotAllocator.Place
    let vector: PreparedVector
    let query: Query
    /// The nearest nodes of each layer that the graph had, nearest first, and the neighbours chosen from them.
    private(set) var found: [[Candidate]] = []
    private(set) var chosen: [[Candidate]] = []

    init(_ vector: PreparedVector, at place: SlotAllocator.Place) {
        self.place = place
        self.vector = vector
        query = Query(vector)
    }

    /// Algorithm 1 of the paper, up to the links.
    func search(_ graph: borrowing HNSWGraph, scratch: inout SearchScratch, selection: inout NeighbourSelection) {
        graph.vectors.write(vector, to: place.slot)
        guard graph.entry >= 0 else { return }
        var layer = min(place.level, graph.topLayer)
        found = Array(repeating: [], count: layer + 1)
        chosen = found
        var effort = Effort()
        var nearest = graph.descend(to: layer, towards: query, scratch: &scratch, effort: &effort)
        let breadth = max(graph.configuration.efConstruction, graph.configuration.m)
        while layer >= 0 {
            // A walk ends by itself, and is interrupted only by a `shouldStop`.
            try? graph.walk(
                layer: layer, from: nearest, towards: query, breadth: breadth, scratch: &scratch, effort: &effort)
            nearest = scratch.beam[0]
            scratch.found.removeAll()
            for position in 0..<scratch.beam.count { scratch.found.append(scratch.beam[position]) }
            selection.choose(
                from: scratch.found, limit: graph.configuration.m, keepPruned: graph.configuration.keepPruned,
                vectors: graph.vectors)
            found[layer] = scratch.found.elements
            chosen[layer] = selection.kept.elements
            layer -= 1
        }
    }
}

/// What one thread searches for newcomers in.
final class NewcomerScratch: @unchecked Sendable {
    private var scratch = SearchScratch()
    private var selection = NeighbourSelection()

    func search(_ newcomer: Newcomer, in graph: borrowing HNSWGraph) {
        newcomer.search(graph, scratch: &scratch, selection: &selection)
    }
}
