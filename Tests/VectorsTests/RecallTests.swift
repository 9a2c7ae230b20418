internal import Contracts
internal import HNSW
internal import RPC
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `The recall of searches` {
    /// Real embeddings and real questions, so narrowly that some of what is nearest is missed.
    @Test func `as it is measured in operation is what it is measured to be outside`() async throws {
        let sample = try MedicalSample(first: 2_000)
        let exact = try ExactIndex<String>(dimension: 384, metric: .cosine)
        for document in sample.documents { try exact.insert(document.embedding, for: document.id) }
        let sampler = RecallSampler(budget: RecallBudget(percent: 100, threads: 64))

        try await withVectorsDatabase { database in
            try await database.withReplica(recall: sampler) { vectors in
                try await vectors.create("medical_texts", dimension: 384, metric: .cosine)
                for start in stride(from: 0, to: sample.documents.count, by: 500) {
                    try await vectors.upsert(Array(sample.documents[start..<min(start + 500, 2_000)]), in: "medical_texts")
                }
                let chebi = VectorsV1.Filter.equals("source", .text("chebi"))
                for filter in [nil, chebi] {
                    var offline = 0.0
                    for question in sample.questions {
                        let found = try await vectors.sampled(sampler) {
                            try await $0.find(near: question, in: "medical_texts", limit: 20, where: filter, effort: 10)
                        }
                        let ids = Set(sample.documents.filter { filter == nil || $0.metadata["source"] == "chebi" }.map(\.id))
                        let truth = try exact.search(question, k: 20, where: { ids.contains($0) })
                        offline += Double(Set(found.matches.map(\.id)).intersection(truth.map(\.key)).count) / Double(truth.count)
                    }
                    offline /= Double(sample.questions.count)

                    let told = try #require(try await vectors.recalls().first { ($0.selectivity == .none) == (filter == nil) })
                    #expect(abs(told.recall - offline) <= 0.02, "\(told.recall) and \(offline)")
                    #expect(told.sampleCount == Int64(sample.questions.count))
                    #expect(told.recentCount == told.sampleCount)
                    // A measure that always says 1 would pass above if everything were found.
                    if filter == nil { #expect(offline < 0.999) }
                }
            }
        }
    }

    @Test func `is kept by what the filter lets pass, and forgotten with the collection`() async throws {
        let sampler = RecallSampler(budget: RecallBudget(percent: 100, threads: 64))
        try await withVectorsDatabase { database in
            try await database.withReplica(recall: sampler) { vectors in
                try await vectors.create("notes")
                try await vectors.upsert(
                    (0..<300).map { .at([Float($0), 0, 0], "\($0)", typed: ["n": .number(Double($0))]) }, in: "notes")
                for least in [100.0, 290, 298] {
                    _ = try await vectors.sampled(sampler) {
                        try await $0.find(near: [7, 0, 0], in: "notes", where: .range("n", from: .number(least)))
                    }
                }
                _ = try await vectors.sampled(sampler) { try await $0.find(near: [7, 0, 0], in: "notes", text: "content") }
                // Nothing near is looked for, or there is nothing to be near.
                _ = try await vectors.find(in: "notes", text: "content")
                _ = try await vectors.find(near: [7, 0, 0], in: "notes", where: .exists("nothing"))

                let told = try await vectors.recalls()
                #expect(told.map(\.selectivity) == [.none, .aboveTenth, .aboveHundredth, .belowHundredth])
                #expect(told.allSatisfy { $0.collection == "notes" && $0.recall == 1 && $0.sampleCount == 1 })

                try await database.server.psql("DELETE FROM vectors.aliases; DELETE FROM vectors.collections", database: database.name)
                try await until { try await vectors.recalls().isEmpty }
            }
        }
    }

    @Test func `costs no more than its budget`() {
        let start = ContinuousClock.now
        var budget = RecallBudget(percent: 10, threads: 2)
        var spent = Duration.zero
        for step in 0..<10_000 {
            // A search each ten milliseconds, a sample of which takes fifty.
            if budget.allows(now: start + .milliseconds(10 * step)) {
                budget.spend(.milliseconds(50))
                spent += .milliseconds(50)
            }
        }

        // A fifth of a thread's hundred seconds, and what is kept for a second.
        #expect(spent > .seconds(18) && spent < .seconds(21))
        var none = RecallBudget(percent: 0, threads: 8)
        let answers = [none.allows(now: start), none.allows(now: start + .seconds(1_000))]
        #expect(answers == [false, false])
    }

    @Test func `is of the newest samples`() {
        var record = RecallRecord()
        #expect(record.recall == nil)
        for _ in 0..<RecallRecord.maxRecent { record.add(0, at: .now()) }
        for _ in 0..<RecallRecord.maxRecent / 2 { record.add(1, at: .now()) }

        #expect(record.recall == 0.5)
        #expect(record.sampleCount == 1_500)
        #expect(record.recentCount == RecallRecord.maxRecent)
    }
}

extension VectorsService {
    private var context: RPCContext { RPCContext(method: VectorsV1.IndexServiceMethods.listIndexes.descriptor) }
    private var service: IndexService { IndexService(indexes: indexes, recall: recall) }

    /// What an operator is told of one index.
    func state(of name: String) async throws -> VectorsV1.Index? {
        try await service.listIndexes(.init(), context: context).indexes.first { $0.collection == name }
    }

    func recalls() async throws -> [VectorsV1.SearchRecall] {
        try await service.listSearchRecall(.init(), context: context).recalls
    }

    /// Searches until a search has been sampled; each is when no other is being.
    func sampled(
        _ sampler: RecallSampler, _ search: (VectorsService) async throws -> VectorsV1.SearchResponse
    ) async throws -> VectorsV1.SearchResponse {
        let before = sampler.records.values.reduce(0) { $0 + $1.sampleCount }
        let found = try await search(self)
        try await until { sampler.records.values.reduce(0) { $0 + $1.sampleCount } > before && !sampler.isSampling }
        return found
    }
}
