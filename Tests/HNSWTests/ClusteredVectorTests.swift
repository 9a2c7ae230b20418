import HNSW
import Testing

/// Vectors that lie so that a careless graph falls apart.
@Suite struct `Vectors in tight clusters` {
    @Test func `can all be found when they are equal`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 4, m: 4, efConstruction: 20))
        for key in 0..<300 { try index.insert([1, 2, 3, 4], for: key) }

        #expect(index.validate() == [])
        #expect(Set(try index.search([1, 2, 3, 4], k: 300).map(\.key)) == Set(0..<300))

        for key in 0..<299 { index.remove(key) }

        #expect(index.validate() == [])
        #expect(try index.search([4, 3, 2, 1], k: 5).map(\.key) == [299])
    }

    @Test func `are found from every cluster, also after the bridges between them are removed`() throws {
        var generator = RandomVectors(seed: 8, dimension: 6)
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(dimension: 6, metric: .euclidean, m: 5, efConstruction: 24))
        let centers = (0..<8).map { _ in generator.vector(spread: 1_000) }
        for key in 0..<640 {
            try index.insert(generator.vector(spread: 0.5, around: centers[key / 80]), for: key)
        }
        // Whatever joins the clusters is among these.
        for key in 0..<640 where key % 80 < 40 {
            index.remove(key)
        }

        #expect(index.validate() == [])
        for (cluster, center) in centers.enumerated() {
            let found = try index.search(center, k: 40, efSearch: 80)
            #expect(Set(found.map { $0.key / 80 }) == [cluster])
        }
    }
}
