import HNSW
import Testing

@Suite struct `A filtered search` {
    static let count = 1_500

    private static func indexes() throws -> (graph: HNSWIndex<Int>, exact: ExactIndex<Int>, queries: [[Float]]) {
        var generator = RandomVectors(seed: 4, dimension: 12)
        let graph = try HNSWIndex<Int>(
            HNSWConfiguration(dimension: 12, metric: .euclidean, m: 8, efConstruction: 40))
        let exact = try ExactIndex<Int>(dimension: 12, metric: .euclidean)
        for (key, vector) in generator.vectors(count).enumerated() {
            try graph.insert(vector, for: key)
            try exact.insert(vector, for: key)
        }
        return (graph, exact, generator.vectors(10))
    }

    @Test func `returns as many as there are, for every share that passes`() throws {
        let (graph, exact, queries) = try Self.indexes()

        for divisor in [1, 2, 10, 100, 500, Self.count, Self.count + 1] {
            let passes = { (key: Int) in key % divisor == divisor - 1 }
            var recalls = 0.0
            for query in queries {
                let found = try graph.search(query, k: 20, efSearch: 60, where: passes)
                let truth = try exact.search(query, k: 20, where: passes)

                #expect(found.count == min(20, Self.count / divisor))
                #expect(found.allSatisfy { passes($0.key) })
                recalls += recall(of: found, against: truth)
            }
            #expect(recalls / Double(queries.count) >= 0.95, "1 in \(divisor)")
        }
    }

    @Test func `becomes a scan when few pass, and says so`() throws {
        let (graph, exact, queries) = try Self.indexes()
        let passes = { (key: Int) in key < 15 }

        let found = try graph.search(queries[0], k: 10, where: passes)
        let truth = try exact.search(queries[0], k: 10, where: passes)

        #expect(found.isExact)
        #expect(found.map(\.key) == truth.map(\.key))
        #expect(found.comparisons < Self.count / 2)
    }

    @Test func `finds those that pass far from the query`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 1, metric: .euclidean, m: 4, efConstruction: 20))
        for key in 0..<1_000 { try index.insert([Float(key)], for: key) }

        let found = try index.search([0], k: 3, efSearch: 10) { $0 >= 990 }

        #expect(found.map(\.key) == [990, 991, 992])
    }
}
