import HNSW
import Synchronization
import Testing

@Suite struct `An exact search of the graph` {
    @Test(arguments: [Metric.cosine, .innerProduct, .euclidean])
    func `finds what an exact index finds`(_ metric: Metric) throws {
        var generator = RandomVectors(seed: 31, dimension: 10)
        let graph = try HNSWIndex<Int>(HNSWConfiguration(dimension: 10, metric: metric, m: 4, efConstruction: 16))
        let exact = try ExactIndex<Int>(dimension: 10, metric: metric)
        for (key, vector) in generator.vectors(400).enumerated() {
            try graph.insert(vector, for: key)
            try exact.insert(vector, for: key)
        }
        for key in stride(from: 0, to: 400, by: 3) {
            graph.remove(key)
            exact.remove(key)
        }

        for query in generator.vectors(20) {
            #expect(try graph.searchExactly(query, k: 10).map(\.key) == exact.search(query, k: 10).map(\.key))
            let odd = { (key: Int) in key % 2 == 1 }
            #expect(
                try graph.searchExactly(query, k: 10, where: odd).map(\.key) == exact.search(query, k: 10, where: odd).map(\.key))
        }
        #expect(try graph.searchExactly(generator.vector(), k: 10, where: { _ in false }).isEmpty)
    }

    @Test func `and another see one state while writers wait, and other searches go on`() async throws {
        var generator = RandomVectors(seed: 32, dimension: 6)
        let graph = try HNSWIndex<Int>(HNSWConfiguration(dimension: 6, metric: .euclidean, m: 4, efConstruction: 16))
        for key in 0..<100 { try graph.insert(generator.vector(), for: key) }
        let (query, newcomer) = (generator.vector(), generator.vector())

        try await withThrowingTaskGroup { group in
            try graph.withWritersWaiting { () throws in
                group.addTask { try graph.insert(newcomer, for: 1_000) }
                for _ in 0..<50 {
                    #expect(try graph.searchExactly(query, k: 200).count == 100)
                    #expect(try graph.search(query, k: 200).count == 100)
                }
            }
            try await group.waitForAll()
        }

        #expect(try graph.search(query, k: 200).count == 101)
    }
}
