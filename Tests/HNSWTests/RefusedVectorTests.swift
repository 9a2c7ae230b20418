import HNSW
import Testing

@Suite struct `A vector that cannot be compared` {
    struct Case: Sendable {
        let metric: Metric
        let vector: [Float]
        let code: HNSWError.Code
        let sentence: String
    }

    static let cases = [
        Case(
            metric: .cosine, vector: [1, 2], code: .wrongDimension,
            sentence: "The vector has 2 components; this index holds vectors of 3."),
        Case(
            metric: .euclidean, vector: [], code: .wrongDimension,
            sentence: "The vector has 0 components; this index holds vectors of 3."),
        Case(
            metric: .innerProduct, vector: [0, .nan, 1], code: .notFinite,
            sentence: "Component 1 of the vector is not a finite number."),
        Case(
            metric: .cosine, vector: [0, 1, -.infinity], code: .notFinite,
            sentence: "Component 2 of the vector is not a finite number."),
        Case(
            metric: .cosine, vector: [0, -0.0, 0], code: .zeroLength,
            sentence: "The vector has length zero, so it has no direction that cosine could compare."),
        Case(
            metric: .euclidean, vector: [1e19, 0, 0], code: .tooLong,
            sentence: "The vector is too long: its squared length must stay below an eighth of the largest Float."),
    ]

    @Test(arguments: cases)
    func `is refused with a sentence, stored or searched for`(refused: Case) throws {
        let graph = try HNSWIndex<Int>(HNSWConfiguration(dimension: 3, metric: refused.metric))
        let exact = try ExactIndex<Int>(dimension: 3, metric: refused.metric)

        for index in [graph, exact] as [any VectorIndex<Int>] {
            let stored = #expect(throws: HNSWError.self) { try index.insert(refused.vector, for: 1) }
            let searched = #expect(throws: HNSWError.self) { try index.search(refused.vector, k: 1) }

            #expect(stored?.code == refused.code)
            #expect(stored?.message == refused.sentence)
            #expect(searched == stored)
            #expect(index.count == 0)
        }
    }

    @Test func `leaves the one that its key has in place`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 2, metric: .euclidean))
        try index.insert([3, 4], for: 7)

        #expect(throws: HNSWError.self) { try index.insert([.nan, 0], for: 7) }

        #expect(index.vector(for: 7) == [3, 4])
        #expect(index.validate() == [])
    }

    @Test func `is not one that is merely very short or very long under cosine`() throws {
        let index = try HNSWIndex<String>(HNSWConfiguration(dimension: 2))
        try index.insert([.leastNonzeroMagnitude, 0], for: "short")
        try index.insert([0, .greatestFiniteMagnitude], for: "long")

        #expect(index.vector(for: "short") == [1, 0])
        #expect(index.vector(for: "long") == [0, 1])
    }
}

@Suite struct `A configuration` {
    @Test func `out of range is refused by name`() {
        func error(_ configuration: HNSWConfiguration) -> String? {
            #expect(throws: HNSWError.self) { try HNSWIndex<Int>(configuration) }?.message
        }

        #expect(error(.init(dimension: 0)) == "dimension is 0; it must be between 1 and 65536.")
        #expect(error(.init(dimension: 3, m: 1)) == "m is 1; it must be between 2 and 512.")
        #expect(error(.init(dimension: 3, efConstruction: 0)) == "efConstruction is 0; it must be between 1 and 65536.")
        #expect(error(.init(dimension: 3, efSearch: 0)) == "efSearch is 0; it must be between 1 and 65536.")
    }
}
