import HNSW
import Testing

@Suite struct `Searches beside a writer` {
    @Test func `see every key that stays, and one vector of a key that moves`() async throws {
        var generator = RandomVectors(seed: 17, dimension: 8)
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 8, metric: .euclidean, m: 4, efConstruction: 16))
        let resident = Set(0..<60)
        for key in resident { try index.insert(generator.vector(), for: key) }
        let changes = (0..<240).map { _ in
            (key: Int.random(in: 0..<40, using: &generator.random), vector: generator.vector())
        }
        let queries = generator.vectors(150)

        try await withThrowingTaskGroup { group in
            group.addTask {
                for (number, change) in changes.enumerated() {
                    // Some residents move; guests come and go.
                    if number % 3 == 0 { try index.insert(change.vector, for: change.key) }
                    if number % 3 == 1 { try index.insert(change.vector, for: 1_000 + change.key) }
                    if number % 3 == 2 { index.remove(1_000 + change.key) }
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    for query in queries {
                        let found = try index.search(query, k: 500)
                        let keys = found.map(\.key)
                        #expect(Set(keys).count == keys.count)
                        #expect(resident.isSubset(of: keys))
                        #expect(found.map(\.distance) == found.map(\.distance).sorted())
                    }
                }
            }
            try await group.waitForAll()
        }

        #expect(index.validate() == [])
    }

    @Test func `from many writers leave a sound graph`() async throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 6, m: 4, efConstruction: 16))

        try await withThrowingTaskGroup { group in
            for writer in 0..<4 {
                group.addTask {
                    var generator = RandomVectors(seed: UInt64(writer), dimension: 6)
                    for key in 0..<80 { try index.insert(generator.vector(), for: writer * 100 + key) }
                    for key in 0..<40 { index.remove(writer * 100 + key) }
                }
            }
            try await group.waitForAll()
        }

        #expect(index.count == 160)
        #expect(index.validate() == [])
    }
}
