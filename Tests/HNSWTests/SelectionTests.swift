@testable import HNSW
import Testing

@Suite struct `A search among keys` {
    private static func index(_ count: Int) throws -> (index: HNSWIndex<Int>, exact: ExactIndex<Int>, queries: [[Float]]) {
        var generator = RandomVectors(seed: 6, dimension: 12)
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 12, metric: .euclidean, m: 8, efConstruction: 40))
        let exact = try ExactIndex<Int>(dimension: 12, metric: .euclidean)
        for (key, vector) in generator.vectors(count).enumerated() {
            try index.insert(vector, for: key)
            try exact.insert(vector, for: key)
        }
        return (index, exact, generator.vectors(10))
    }

    @Test func `returns as many as there are, for every share`() throws {
        let (index, exact, queries) = try Self.index(6_000)

        for divisor in [1, 2, 4, 10, 100, 1_000, 6_000, 6_001] {
            let keys = (0..<6_000).filter { $0 % divisor == divisor - 1 }
            let selection = KeySelection(keys)
            var recalls = 0.0
            for query in queries {
                let found = try index.search(query, k: 20, efSearch: 40, among: selection)

                #expect(found.count == min(20, keys.count), "1 in \(divisor)")
                #expect(Set(found.map(\.key)).isSubset(of: keys))
                recalls += recall(
                    of: found, against: try exact.search(query, k: 20, where: { $0 % divisor == divisor - 1 }))
            }
            #expect(recalls / Double(queries.count) >= 0.95, "1 in \(divisor)")
        }
    }

    /// The memory of one that is gone is given to the next.
    @Test func `looks for its keys anew in every index`() throws {
        let selection = KeySelection([7])
        for first in 0..<20 {
            let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 2, m: 2))
            for number in 0..<20 { try index.insert([1, Float(number)], for: (first + number) % 20) }

            #expect(try index.search([1, 0], k: 1, among: selection).map(\.key) == [7])
        }
    }

    @Test func `takes any number of matches and of candidates`() throws {
        let (index, _, queries) = try Self.index(500)

        for keys in [Array(0..<3), Array(0..<500), []] {
            let found = try index.search(queries[0], k: .max, efSearch: .max, among: keys)
            #expect(Set(found.map(\.key)) == Set(keys))
        }
        #expect(try index.search(queries[0], k: .max, efSearch: .max).count == 500)
        #expect(throws: HNSWError.self) { try index.search(queries[0], k: 0, among: [1]) }
    }

    @Test func `compares few one by one and is exact then, and walks for many`() throws {
        let (index, exact, queries) = try Self.index(12_000)
        let few = Array(100..<140)

        let found = try index.search(queries[0], k: 10, among: few)
        let many = try index.search(queries[0], k: 10, efSearch: 10, among: Array(0..<11_000))

        #expect(found.isExact)
        #expect(found.map(\.key) == (try exact.search(queries[0], k: 10, where: { few.contains($0) })).map(\.key))
        #expect(!many.isExact)
        #expect(many.comparisons < 3_000)
    }

    @Test func `leaves out keys that are not there, and keeps up with the index`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 1, metric: .euclidean))
        for key in 0..<10 { try index.insert([Float(key)], for: key) }
        let selection = KeySelection([2, 4, 4, 6, 99])

        #expect(try index.search([0], k: 5, among: selection).map(\.key) == [2, 4, 6])

        index.remove(4)
        try index.insert([50], for: 2)
        try index.insert([1], for: 99)
        #expect(try index.search([0], k: 5, among: selection).map(\.key) == [99, 6, 2])

        let other = try HNSWIndex<Int>(HNSWConfiguration(dimension: 1, metric: .euclidean))
        try other.insert([3], for: 6)
        #expect(try other.search([0], k: 5, among: selection).map(\.key) == [6])
        #expect(try other.search([0], k: 5, among: []).isEmpty)
    }
}
