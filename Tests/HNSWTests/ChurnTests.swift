import HNSW
import Testing

/// Random insertions, updates and removals, each batch compared with the truth.
@Suite struct `Under churn an index` {
    struct Shape: Sendable, CustomTestStringConvertible {
        let metric: Metric
        let dimension: Int
        let m: Int
        let keepPruned: Bool
        var testDescription: String { "\(metric), \(dimension)-d, m \(m)\(keepPruned ? ", keepPruned" : "")" }
    }

    static let shapes = [
        Shape(metric: .cosine, dimension: 24, m: 8, keepPruned: true),
        Shape(metric: .euclidean, dimension: 9, m: 6, keepPruned: false),
        Shape(metric: .innerProduct, dimension: 16, m: 12, keepPruned: true),
    ]

    @Test(arguments: shapes)
    func `stays sound and near the truth`(shape: Shape) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Churn of \(shape.testDescription): seed \(seed)")
        var generator = RandomVectors(seed: seed, dimension: shape.dimension)
        let graph = try HNSWIndex<Int>(
            HNSWConfiguration(
                dimension: shape.dimension, metric: shape.metric, m: shape.m, efConstruction: 60,
                keepPruned: shape.keepPruned, seed: seed))
        let exact = try ExactIndex<Int>(dimension: shape.dimension, metric: shape.metric)

        for batch in 0..<6 {
            for _ in 0..<250 {
                let key = Int.random(in: 0..<400, using: &generator.random)
                // The middle batches remove more than they insert.
                if Int.random(in: 0..<10, using: &generator.random) < (batch == 3 ? 7 : 3) {
                    #expect(graph.remove(key) == exact.remove(key))
                } else {
                    let vector = generator.vector()
                    try graph.insert(vector, for: key)
                    try exact.insert(vector, for: key)
                }
            }

            #expect(graph.validate() == [], "seed \(seed), batch \(batch)")
            #expect(graph.count == exact.count)
            let queries = generator.vectors(20)
            let mean = try queries.reduce(0.0) { sum, query in
                sum + recall(of: try graph.search(query, k: 10), against: try exact.search(query, k: 10))
            }
            #expect(mean / Double(queries.count) >= 0.95, "seed \(seed), batch \(batch)")
        }
    }

    /// Ten times the set, a tenth of it out at a time.
    @Test func `finds as much, with as little work, as one that is made anew`() throws {
        let (count, dimension) = (500, 12)
        var generator = RandomVectors(seed: 31, dimension: dimension)
        let configuration = HNSWConfiguration(dimension: dimension, m: 8, efConstruction: 60)
        let churned = try HNSWIndex<Int>(configuration)
        var vectors = generator.vectors(count)
        for (key, vector) in vectors.enumerated() { try churned.insert(vector, for: key) }
        for _ in 0..<100 {
            let keys = (0..<count).shuffled(using: &generator.random).prefix(count / 10)
            for key in keys { churned.remove(key) }
            for key in keys {
                vectors[key] = generator.vector()
                try churned.insert(vectors[key], for: key)
            }
        }

        let fresh = try HNSWIndex<Int>(configuration)
        let exact = try ExactIndex<Int>(dimension: dimension)
        for (key, vector) in vectors.enumerated() {
            try fresh.insert(vector, for: key)
            try exact.insert(vector, for: key)
        }
        var found = (churned: 0.0, fresh: 0.0)
        var comparisons = (churned: 0, fresh: 0)
        let queries = generator.vectors(200)
        for query in queries {
            let truth = try exact.search(query, k: 10)
            let answers = (churned: try churned.search(query, k: 10, efSearch: 60), fresh: try fresh.search(query, k: 10, efSearch: 60))
            found.churned += recall(of: answers.churned, against: truth)
            found.fresh += recall(of: answers.fresh, against: truth)
            comparisons.churned += answers.churned.comparisons
            comparisons.fresh += answers.fresh.comparisons
        }

        #expect(churned.validate() == [])
        #expect(found.churned >= found.fresh - 0.01 * Double(queries.count))
        #expect(Double(comparisons.churned) <= 1.2 * Double(comparisons.fresh))
    }

    @Test(arguments: [2, 3])
    func `stays connected with the fewest neighbours there can be`(m: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Churn with m = \(m): seed \(seed)")
        var generator = RandomVectors(seed: seed, dimension: 3)
        let index = try HNSWIndex<Int>(
            HNSWConfiguration(dimension: 3, metric: .euclidean, m: m, efConstruction: 8, seed: seed))

        for batch in 0..<20 {
            for _ in 0..<60 {
                let key = Int.random(in: 0..<150, using: &generator.random)
                if Int.random(in: 0..<2, using: &generator.random) == 0 {
                    index.remove(key)
                } else {
                    // Few places, many at each: equal distances decide nothing.
                    try index.insert(generator.vector().map { $0.rounded() }, for: key)
                }
            }

            #expect(index.validate() == [], "seed \(seed), batch \(batch)")
            #expect(try index.search([0, 0, 0], k: 200).count == index.count, "seed \(seed), batch \(batch)")
        }
    }

    @Test func `empties and fills again`() throws {
        var generator = RandomVectors(seed: 21, dimension: 4)
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 4, m: 4, efConstruction: 20))

        for _ in 0..<3 {
            for key in 0..<120 { try index.insert(generator.vector(), for: key) }
            #expect(index.validate() == [])
            for key in (0..<120).shuffled(using: &generator.random) {
                index.remove(key)
                #expect(index.validate() == [])
            }
            #expect(index.count == 0)
            #expect(try index.search([1, 0, 0, 0], k: 3).isEmpty)
        }
    }
}
