import HNSW
import Testing

@Suite struct `Two indexes with one seed` {
    @Test func `that were treated alike answer alike, with the same effort`() throws {
        func build() throws -> [SearchResult<Int>] {
            var generator = RandomVectors(seed: 3, dimension: 10)
            let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 10, m: 6, efConstruction: 30, seed: 99))
            for key in 0..<300 { try index.insert(generator.vector(), for: key) }
            for key in stride(from: 0, to: 300, by: 7) { index.remove(key) }
            for key in stride(from: 0, to: 300, by: 11) { try index.insert(generator.vector(), for: key) }
            return try generator.vectors(20).map { try index.search($0, k: 10, efSearch: 20) }
        }

        let (first, second) = (try build(), try build())

        #expect(first.map(\.matches) == second.map(\.matches))
        #expect(first.map(\.comparisons) == second.map(\.comparisons))
        #expect(first.map(\.hops) == second.map(\.hops))
    }
}
