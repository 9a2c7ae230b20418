@testable import HNSW
import Testing

@Suite struct `A node that an update has replaced` {
    @Test func `is passed through and not reported until it is removed`() throws {
        var graph = ManualGraph(HNSWConfiguration(dimension: 1, metric: .euclidean, m: 2))
        let first = try graph.insert([1])
        let old = try graph.insert([2])
        let last = try graph.insert([3])

        let new = try graph.insert([9], replacing: old)

        #expect(try graph.search([2]) == [first, last, new])
        #expect(try graph.search([2]) { $0 == old } == [])
        #expect(graph.graph.count == 3)

        graph.remove(old)

        #expect(try graph.search([2]) == [first, last, new])
        #expect(graph.graph.validate() == [])
    }

    private struct Filter: SlotFilter {
        let passes: (Int32) -> Bool
        func admits(_ slot: Int32) -> Bool { passes(slot) }
    }

    /// A graph whose changes the test makes step by step, without the index around it.
    private struct ManualGraph: ~Copyable {
        var graph: HNSWGraph
        private var planner: ChangePlanner
        private var allocator: SlotAllocator
        private var scratch = SearchScratch()

        init(_ configuration: HNSWConfiguration) {
            graph = HNSWGraph(configuration: configuration)
            graph.grow(to: 16, blockCapacity: 200)
            planner = ChangePlanner(configuration: configuration)
            allocator = SlotAllocator(configuration: configuration)
        }

        mutating func insert(_ vector: [Float], replacing old: Int32? = nil) throws -> Int32 {
            let prepared = try PreparedVector(vector, dimension: 1, metric: .euclidean)
            let place = try allocator.take()
            let newcomer = Newcomer(prepared, at: place)
            NewcomerScratch().search(newcomer, in: graph)
            planner.draft.begin(capacity: graph.links.capacity)
            planner.link(newcomer, unseen: [], in: graph)
            graph.commitInsertion([place], draft: planner.draft, replacing: old)
            return place.slot
        }

        mutating func remove(_ slot: Int32) {
            let entry = planner.draftRemoval(of: slot, in: graph)
            graph.commitRemoval(of: slot, draft: planner.draft, newEntry: entry)
        }

        mutating func search(_ query: [Float], where passes: ((Int32) -> Bool)? = nil) throws -> [Int32] {
            let query = Query(try PreparedVector(query, dimension: 1, metric: .euclidean))
            if let passes {
                _ = try graph.search(
                    for: query, k: 10, breadth: 10, admitting: Filter(passes: passes), shouldStop: nil, scratch: &scratch)
            } else {
                _ = try graph.search(for: query, k: 10, breadth: 10, shouldStop: nil, scratch: &scratch)
            }
            return (0..<scratch.found.count).map { scratch.found[$0].slot }
        }
    }
}
