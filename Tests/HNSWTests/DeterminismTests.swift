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

@Suite struct `One search, ten thousand times` {
    @Test func `finds the same, with a filter and without, whatever is searched for beside it`() async throws {
        var generator = RandomVectors(seed: 13, dimension: 8)
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 8, m: 6, efConstruction: 30))
        for key in 0..<600 { try index.insert(generator.vector(), for: key) }
        let (query, others) = (generator.vector(), generator.vectors(50))
        let passes: @Sendable (Int) -> Bool = { $0 % 3 != 0 }
        let wanted = (try index.search(query, k: 10, efSearch: 20).matches, try index.search(query, k: 10, efSearch: 20, where: passes).matches)

        let different = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var different = 0
                    for number in 0..<2_500 {
                        if number % 10 == 0 { _ = try index.search(others[(task + number) % others.count], k: 5) }
                        if try index.search(query, k: 10, efSearch: 20).matches != wanted.0 { different += 1 }
                        if try index.search(query, k: 10, efSearch: 20, where: passes).matches != wanted.1 { different += 1 }
                    }
                    return different
                }
            }
            return try await group.reduce(0, +)
        }

        #expect(different == 0)
    }
}
