@testable import HNSW
import Testing

@Suite struct `An index that keeps codes` {
    static let kinds: [Representation] = [.float32, .int8, .int8OverBFloat16]

    @Test(arguments: kinds, Metric.allCases)
    func `finds nearly all that comparing every vector finds`(kind: Representation, metric: Metric) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomVectors(seed: seed, dimension: 40)
        let graph = try HNSWIndex<Int>(
            HNSWConfiguration(
                dimension: 40, metric: metric, m: 12, efConstruction: 80, representation: kind, seed: seed))
        let exact = try ExactIndex<Int>(dimension: 40, metric: metric)
        for (key, vector) in generator.vectors(1_000).enumerated() {
            try graph.insert(vector, for: key)
            try exact.insert(vector, for: key)
        }

        var recalls = 0.0
        for query in generator.vectors(30) {
            let found = try graph.search(query, k: 10, efSearch: 300)
            let truth = try exact.search(query, k: 10)
            recalls += recall(of: found, against: truth)
            // What is told is the vectors' distance, not the codes': bfloat16 has eight bits.
            for match in found {
                let trueMatch = truth.first { $0.key == match.key }
                if let trueMatch {
                    let tolerance: Float = kind == .int8OverBFloat16 ? 0x1p-7 * 14 : 1e-4
                    #expect(abs(match.distance - trueMatch.distance) <= tolerance, "seed \(seed)")
                }
            }
        }

        #expect(recalls / 30 >= 0.95, "seed \(seed)")
        #expect(graph.validate() == [])
    }

    @Test(arguments: [Representation.int8, .int8OverBFloat16], Metric.allCases)
    func `is exact where it says so, although bytes cannot tell some vectors apart`(
        kind: Representation, metric: Metric
    ) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = RandomVectors(seed: seed, dimension: 24)
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(dimension: 24, metric: metric, m: 8, efConstruction: 20, representation: kind, seed: seed))
        // Far from the origin and close together: the codes of most are the same.
        let center = generator.vector(spread: 20)
        var stored: [[Float]] = []
        for key in 0..<400 {
            try index.insert(generator.vector(spread: 0.01, around: center), for: key)
            stored.append(try #require(index.vector(for: key)))
        }
        // The vectors as they are stored: to normalise again those that were rounded would change them.
        let truth = try ExactIndex<Int>(dimension: 24, metric: metric == .cosine ? .innerProduct : metric)
        for (key, vector) in stored.enumerated() { try truth.insert(vector, for: key) }

        for query in (0..<20).map({ _ in generator.vector(spread: 0.01, around: center) }) {
            let found = try index.search(query, k: 10, among: Array(0..<200))
            let length = metric == .cosine ? query.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1
            let expected = try truth.search(query.map { $0 / length }, k: 10, where: { $0 < 200 })

            #expect(found.isExact)
            #expect(found.count == 10)
            // Equally near ones are interchangeable, so distances are compared. A cosine is at most one, whatever rounding says.
            for (one, other) in zip(found, expected) {
                let distance = metric == .cosine ? max(0, 1 + other.distance) : other.distance
                #expect(abs(one.distance - distance) <= 2e-6 * max(1, abs(distance)), "seed \(seed)")
            }
        }
    }

    @Test func `keeps its vectors in a file if it is told a folder`() throws {
        var generator = RandomVectors(seed: 5, dimension: 20)
        let vectors = generator.vectors(700)
        func index(_ folder: String?) throws -> HNSWIndex<Int> {
            let index = try HNSWIndex<Int>(
                HNSWConfiguration(dimension: 20, m: 8, efConstruction: 40, vectorFolder: folder))
            for (key, vector) in vectors.enumerated() { try index.insert(vector, for: key) }
            for key in 0..<100 { index.remove(key) }
            return index
        }

        let (inFile, inMemory) = (try index("/tmp"), try index(nil))

        #expect(inFile.validate() == [])
        for query in generator.vectors(10) {
            #expect(try inFile.search(query, k: 10).matches == inMemory.search(query, k: 10).matches)
        }
        let error = #expect(throws: HNSWError.self) { try index("/nowhere at all") }
        #expect(error?.message == "No file can be made in /nowhere at all: errno 2.")
    }
}
