internal import HNSW
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `The plan of a search` {
    @Test(arguments: [
        (1, 1_000_000, 100, .scan),
        (10_000, 1_000_000, 100, .scan),
        (100_000, 1_000_000, 100, .walk),
        (500_000, 1_000_000, 100, .walk),
        (100_000, 1_000_000, 10_000, .scan),
        (500, 2_426, 100, .scan),
        (2_400, 2_426, 100, .walk),
    ] as [(Int, Int, Int, SearchPlan)])
    func `compares each where that is less than a walk would compare`(
        _ passing: Int, _ count: Int, _ effort: Int, _ plan: SearchPlan
    ) {
        #expect(SearchPlan(passing: passing, of: count, effort: effort) == plan)
    }
}

@Suite struct `The nearest of no more documents than a search keeps` {
    @Test func `are exact when they are said to be, also where codes do not tell them apart`() throws {
        var generator = SeededGenerator(seed: 51)
        let graph = try HNSWIndex<Int>(HNSWConfiguration(dimension: 8, metric: .euclidean))
        let exact = try ExactIndex<Int>(dimension: 8, metric: .euclidean)
        for number in 0..<90 {
            // Far from the origin, and so near to each other that all have one code.
            let vector = generator.vector(8).map { 1_000 + $0 }
            try graph.insert(vector, for: number)
            try exact.insert(vector, for: number)
        }

        for _ in 0..<20 {
            let query = generator.vector(8).map { 1_000 + $0 }
            let (found, isExact) = try graph.nearest(
                to: query, k: 5, effort: nil, among: nil, numbers: { _ in [] }, shouldStop: { false })
            let truth = try exact.search(query, k: 5)

            #expect(isExact)
            #expect(found.map(\.key) == truth.map(\.key))
        }
    }
}
