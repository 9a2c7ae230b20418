import HNSW
import Testing

/// Real embeddings of real texts; the answers were computed by someone else's program.
@Suite struct `On the medical texts` {
    let sample: MedicalSample

    init() throws { sample = try MedicalSample() }

    @Test func `the exact index gives the published answers`() throws {
        let index = try ExactIndex<Int>(dimension: 384)
        for (key, vector) in sample.documents.enumerated() { try index.insert(vector, for: key) }

        for (question, nearest) in zip(sample.questions, sample.nearest) {
            let found = try index.search(question, k: 100)

            #expect(Set(found.map(\.key)) == Set(nearest))
            let scores = Dictionary(uniqueKeysWithValues: found.map { ($0.key, $0.score) })
            // The order is theirs, except that a Float may not tell two apart.
            for (nearer, farther) in zip(nearest, nearest.dropFirst()) {
                #expect(scores[nearer, default: 0] >= scores[farther, default: 0] - 1e-6)
            }
        }
    }

    @Test func `the graph finds at least 98 of 100 true neighbours`() throws {
        let index = try HNSWIndex<Int>(HNSWConfiguration(dimension: 384, efConstruction: 80))
        for (key, vector) in sample.documents.enumerated() { try index.insert(vector, for: key) }

        var found = 0
        for (question, nearest) in zip(sample.questions, sample.nearest) {
            let result = try index.search(question, k: 10, efSearch: 100)
            found += Set(result.map(\.key)).intersection(nearest.prefix(10)).count
        }

        #expect(Double(found) / Double(10 * sample.questions.count) >= 0.98)
        #expect(index.validate() == [])
    }
}
