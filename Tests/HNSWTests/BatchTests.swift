@testable import HNSW
import Testing

@Suite struct `Vectors inserted together` {
    @Test(arguments: [1, 63, 64, 65, 500])
    func `make the same graph on every number of threads`(count: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        func build(threads: Int) throws -> [SearchResult<Int>] {
            var generator = RandomVectors(seed: seed, dimension: 10)
            let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 10, m: 4, efConstruction: 30, seed: seed))
            try index.insert(generator.vectors(count).enumerated().map { (key: $0, vector: $1) }, threads: threads)
            #expect(index.validate() == [], "seed \(seed)")
            #expect(index.count == count)
            return try generator.vectors(20).map { try index.search($0, k: 10, efSearch: 20) }
        }

        let results = try [1, 2, 3].map(build)

        for other in results.dropFirst() {
            #expect(results[0].map(\.matches) == other.map(\.matches), "seed \(seed)")
            #expect(results[0].map(\.comparisons) == other.map(\.comparisons), "seed \(seed)")
        }
    }

    @Test func `are found as well as those inserted one by one`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomVectors(seed: seed, dimension: 12)
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(dimension: 12, metric: .euclidean, m: 8, efConstruction: 60, seed: seed))
        let exact = try ExactIndex<Int>(dimension: 12, metric: .euclidean)
        let vectors = generator.vectors(1_200)
        try index.insert(vectors.enumerated().map { (key: $0, vector: $1) }, threads: 2)
        for (key, vector) in vectors.enumerated() { try exact.insert(vector, for: key) }

        var recalls = 0.0
        for query in generator.vectors(40) {
            recalls += recall(of: try index.search(query, k: 10, efSearch: 60), against: try exact.search(query, k: 10))
        }

        #expect(recalls / 40 >= 0.95, "seed \(seed)")
    }

    @Test func `replace those that are there, and the last of a key counts`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 1, metric: .euclidean, m: 2, efConstruction: 8))
        try index.insert([7], for: 3)

        try index.insert([(1, [1]), (2, [2]), (3, [3]), (1, [5]), (4, [4])], threads: 2)

        #expect(index.count == 4)
        #expect([1, 2, 3, 4].map { index.vector(for: $0) } == [[5], [2], [3], [4]])
        #expect(index.validate() == [])
    }

    @Test func `are refused together with one that cannot be compared`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 2))

        let error = #expect(throws: HNSWError.self) { try index.insert([(1, [1, 2]), (2, [0, 0])], threads: 2) }

        #expect(error?.code == .zeroLength)
        #expect(index.count == 0)
        #expect(throws: HNSWError.self) { try index.insert([], threads: 0) }
    }

    @Test func `come in beside searches and single writers`() async throws {
        var generator = RandomVectors(seed: 31, dimension: 8)
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 8, m: 4, efConstruction: 16))
        for key in 0..<50 { try index.insert(generator.vector(), for: key) }
        let batch = (0..<300).map { (key: 1_000 + $0, vector: generator.vector()) }
        let (moved, queries) = (generator.vectors(60), generator.vectors(100))

        try await withThrowingTaskGroup { group in
            group.addTask { try index.insert(batch, threads: 2) }
            group.addTask {
                for (key, vector) in moved.enumerated() {
                    try index.insert(vector, for: 100 + key)
                    if key % 2 == 0 { index.remove(100 + key) }
                }
            }
            group.addTask {
                for query in queries {
                    let keys = try index.search(query, k: 1_000).map(\.key)
                    #expect(Set(0..<50).isSubset(of: keys))
                    #expect(Set(keys).count == keys.count)
                }
            }
            try await group.waitForAll()
        }

        #expect(index.count == 380)
        #expect(index.validate() == [])
    }
}
