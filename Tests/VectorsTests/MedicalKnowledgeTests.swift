internal import Contracts
internal import HNSW
internal import RPC
internal import TestSupport
internal import Testing

@testable internal import Vectors

/// Real embeddings, through the service and its table with the textual column, before and after a restart.
@Suite struct `Medical knowledge` {
    @Test func `is found as an exhaustive search finds it, also by a replica that starts later`() async throws {
        let sample = try MedicalSample(first: 300)
        let exact = try ExactIndex<String>(dimension: 384, metric: .cosine)
        for document in sample.documents { try exact.insert(document.embedding, for: document.id) }

        try await withVectorsDatabase { database in
            try await database.withReplica { vectors in
                try await vectors.upsert(sample.documents, in: "medical_knowledge", model: MedicalSample.model)
                #expect(try await vectors.recall(of: sample, by: exact) >= 0.98)
            }

            try await database.withReplica { vectors in
                #expect(try await vectors.recall(of: sample, by: exact) >= 0.98)
                try await vectors.expectIndexEqualsTable("medical_knowledge")
            }
            let kept = try await database.server.psql(
                """
                SELECT count(*) FROM vectors.vector_medical_knowledge
                WHERE embedding LIKE '[%]' AND cardinality(string_to_array(embedding, ',')) = 384
                """, database: database.name)
            #expect(kept == "300")
        }
    }

    @Test func `is kept in a column of pgvector where the database has it`() async throws {
        let sample = try MedicalSample(first: 100)
        let wanted = try #require(sample.documents.last)

        try await VectorColumns.pgvector.withDatabase { database in
            try await database.withReplica { vectors in
                _ = try await vectors.upsert(sample.documents, in: "medical_knowledge", model: MedicalSample.model)
            }
            try await database.withReplica { vectors in
                let found = try await vectors.find(near: wanted.embedding, in: "medical_knowledge", limit: 1, model: MedicalSample.model)
                #expect(found.matches.map(\.id) == [wanted.id])
                try await vectors.expectIndexEqualsTable("medical_knowledge")
            }
            let nearest = try await database.server.psql(
                """
                SELECT format_type(a.atttypid, a.atttypmod), (SELECT v.id FROM vectors.vector_medical_knowledge v ORDER BY v.embedding <=>
                    (SELECT w.embedding FROM vectors.vector_medical_knowledge w WHERE w.id = '\(wanted.id)') LIMIT 1)
                FROM pg_attribute a WHERE a.attrelid = 'vectors.vector_medical_knowledge'::regclass AND a.attname = 'embedding'
                """, database: database.name)
            #expect(nearest == "vector(384)|\(wanted.id)")
        }
    }

    @Test func `of one source is found by a filter, with its text`() async throws {
        let sample = try MedicalSample(first: 120)
        let wanted = try #require(sample.documents.first { $0.metadata["source"] == "chebi" })

        try await withVectors { vectors in
            try await vectors.upsert(sample.documents, in: "medical_knowledge", model: MedicalSample.model)

            let found = try await vectors.find(
                near: wanted.embedding, in: "medical_knowledge", limit: 5, filter: ["source": "chebi"],
                model: MedicalSample.model)

            #expect(found.matches.allSatisfy { $0.metadata["source"] == "chebi" })
            #expect(found.matches.first?.id == wanted.id)
            #expect(found.matches.first?.content == wanted.content)
            #expect(abs((found.matches.first?.score ?? 0) - 1) < 1e-5)
        }
    }
}

extension VectorsService {
    /// The share of the ten truly nearest documents that searches for the questions find.
    fileprivate func recall(of sample: MedicalSample, by exact: ExactIndex<String>) async throws -> Double {
        var hits = 0
        for question in sample.questions {
            let found = try await find(near: question, in: "medical_knowledge", model: MedicalSample.model)
            hits += Set(found.matches.map(\.id)).intersection(try exact.search(question, k: 10).map(\.key)).count
        }
        return Double(hits) / Double(10 * sample.questions.count)
    }
}
