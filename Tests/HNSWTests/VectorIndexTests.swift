import HNSW
import Testing

/// What both kinds of index promise.
@Suite struct `A vector index` {
    static func indexes(_ metric: Metric, dimension: Int = 2) throws -> [any VectorIndex<String>] {
        [
            try HNSWIndex<String>(HNSWConfiguration(dimension: dimension, metric: metric)),
            try ExactIndex<String>(dimension: dimension, metric: metric),
        ]
    }

    @Test func `that is empty finds nothing, and says that there is nothing`() throws {
        for index in try Self.indexes(.cosine) {
            let result = try index.search([1, 0], k: 5)

            #expect(result.isEmpty)
            #expect(result.isExact)
            #expect(index.count == 0)
            #expect(!index.contains("a"))
            #expect(index.vector(for: "a") == nil)
            #expect(!index.remove("a"))
        }
    }

    @Test func `scores by the cosine, whatever the lengths`() throws {
        for index in try Self.indexes(.cosine) {
            try index.insert([10, 0], for: "same direction")
            try index.insert([0, 0.1], for: "right angle")
            try index.insert([-3, 0], for: "opposite")

            let result = try index.search([2, 0], k: 3)

            #expect(result.map(\.key) == ["same direction", "right angle", "opposite"])
            #expect(result.map(\.score) == [1, 0, -1])
            #expect(result.map(\.distance) == [0, 1, 2])
        }
    }

    @Test func `scores by the inner product, in which length counts`() throws {
        for index in try Self.indexes(.innerProduct) {
            try index.insert([1, 0], for: "parallel")
            try index.insert([5, 5], for: "long")
            try index.insert([-1, 0], for: "opposite")

            let result = try index.search([2, 0], k: 3)

            #expect(result.map(\.key) == ["long", "parallel", "opposite"])
            #expect(result.map(\.score) == [10, 2, -2])
            #expect(result.map(\.distance) == [-10, -2, 2])
        }
    }

    @Test func `measures the straight line, and takes zero for a vector`() throws {
        for index in try Self.indexes(.euclidean) {
            try index.insert([0, 0], for: "origin")
            try index.insert([3, 4], for: "five away")

            let result = try index.search([0, 0], k: 3)

            #expect(result.map(\.key) == ["origin", "five away"])
            #expect(result.map(\.distance) == [0, 5])
            #expect(result.map(\.score) == [1, 1.0 / 6])
        }
    }

    @Test func `replaces the vector of a key that is inserted again`() throws {
        for index in try Self.indexes(.euclidean) {
            try index.insert([1, 1], for: "a")
            try index.insert([9, 9], for: "b")
            try index.insert([8, 8], for: "a")

            #expect(index.count == 2)
            #expect(index.vector(for: "a") == [8, 8])
            #expect(try index.search([1, 1], k: 5).map(\.key) == ["a", "b"])
        }
    }

    @Test func `forgets what is removed`() throws {
        for index in try Self.indexes(.euclidean) {
            try index.insert([1, 1], for: "a")
            try index.insert([2, 2], for: "b")

            #expect(index.remove("a"))

            #expect(!index.remove("a"))
            #expect(!index.contains("a"))
            #expect(index.count == 1)
            #expect(try index.search([1, 1], k: 5).map(\.key) == ["b"])

            index.remove("b")
            try index.insert([4, 4], for: "c")
            #expect(try index.search([1, 1], k: 5).map(\.key) == ["c"])
        }
    }

    @Test func `refuses to find no neighbours`() throws {
        for index in try Self.indexes(.cosine) {
            let error = #expect(throws: HNSWError.self) { try index.search([1, 0], k: 0) }

            #expect(error?.message == "k is 0; it must be at least 1.")
        }
    }

    @Test func `stops when it is asked to`() throws {
        var generator = RandomVectors(seed: 11, dimension: 8)
        for index in try Self.indexes(.euclidean, dimension: 8) {
            for (number, vector) in generator.vectors(400).enumerated() { try index.insert(vector, for: "\(number)") }

            let error = #expect(throws: HNSWError.self) {
                try index.search(generator.vector(), k: 10, efSearch: 400, where: nil, shouldStop: { true })
            }

            #expect(error?.code == .interrupted)
            let result = try index.search(
                generator.vector(), k: 10, efSearch: 400, where: nil, shouldStop: { false })
            #expect(result.count == 10)
        }
    }
}
