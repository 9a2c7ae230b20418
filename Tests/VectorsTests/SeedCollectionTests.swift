internal import Contracts
internal import HNSW
internal import Migrations
internal import RPC
internal import RecordTestSupport
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Vectors

/// A collection that the schema brings.
struct SeedCollection: Sendable, CustomTestStringConvertible {
    let name: String
    let model: String
    let dimension: Int
    let table: String

    var testDescription: String { name }

    static let all = [
        SeedCollection("medical_knowledge", "sentence-transformers/all-MiniLM-L6-v2", 384, "vector_medical_knowledge"),
        SeedCollection("drug_interactions", "sentence-transformers/all-MiniLM-L6-v2", 384, "vector_drug_interactions"),
        SeedCollection("symptoms_conditions", "sentence-transformers/all-MiniLM-L6-v2", 384, "vector_symptoms_conditions"),
        SeedCollection("medical_text_768", "ncbi/MedCPT-Query-Encoder", 768, "medical_text_768"),
        SeedCollection("medical_images_1152", "google/siglip-so400m-patch14-384", 1_152, "medical_images_1152"),
    ]

    private init(_ name: String, _ model: String, _ dimension: Int, _ table: String) {
        self.name = name
        self.model = model
        self.dimension = dimension
        self.table = table
    }

    func documents(_ count: Int, _ random: inout SeededGenerator) -> [VectorsV1.Document] {
        (0..<count).map { number in
            .at(
                random.vector(dimension), "\(number)", ["category": number % 2 == 0 ? "anticoagulant" : "diuretic"],
                typed: ["severity": .number(Double(number % 3))], content: "word\(number) of \(name)")
        }
    }
}

@Suite struct `A collection that the schema brings` {
    @Test func `is there from the start, each in its own space`() async throws {
        try await withVectors { vectors in
            for seed in SeedCollection.all {
                let collection = try #require(try await vectors.collection(seed.name))
                #expect(collection.modelId == seed.model)
                #expect((collection.dimension, collection.metric) == (Int32(seed.dimension), .cosine))
                #expect((collection.documentCount, collection.position) == (0, 0))
                let again = try await vectors.create(seed.name, dimension: Int32(seed.dimension), metric: .cosine, model: seed.model)
                #expect(!again.created)
                await expect(.alreadyExists) {
                    try await vectors.create(seed.name, dimension: 3, metric: .cosine, model: seed.model)
                }
            }
            #expect(Set(SeedCollection.all.map(\.name)) == Set(DocumentTable.ownNames.map(\.text)))
        }
    }

    @Test(arguments: VectorColumns.allCases, SeedCollection.all)
    func `is searched by meaning, by words and by filters, followed by every replica, and deleted from`(
        columns: VectorColumns, seed: SeedCollection
    ) async throws {
        try await columns.withDatabase { database in
            try await database.withReplica { vectors in
                try await database.withReplica { elsewhere in
                    var random = SeededGenerator(seed: 1)
                    let documents = seed.documents(40, &random)
                    let exact = try ExactIndex<String>(dimension: seed.dimension, metric: .cosine)
                    for document in documents { try exact.insert(document.embedding, for: document.id) }

                    let upserted = try await vectors.upsert(documents, in: seed.name, model: seed.model)

                    let query = random.vector(seed.dimension)
                    let found = try await elsewhere.find(
                        near: query, in: seed.name, limit: 5, effort: 200, minPosition: upserted.position, model: seed.model)
                    #expect(try found.matches.map(\.id) == exact.search(query, k: 5).map(\.key))
                    #expect(found.matches.first?.typedMetadata["severity"] != nil)
                    let filtered = try await vectors.find(
                        near: query, in: seed.name, limit: 40,
                        where: .allOf([.equals("category", .text("diuretic")), .range("severity", from: .number(1))]),
                        model: seed.model)
                    #expect(Set(filtered.matches.map { Int($0.id) ?? 0 }) == Set((0..<40).filter { $0 % 2 == 1 && $0 % 3 >= 1 }))
                    #expect(try await vectors.find(in: seed.name, text: "word17", model: seed.model).matches.map(\.id) == ["17"])
                    let hybrid = try await vectors.find(near: query, in: seed.name, limit: 1, text: "word17", model: seed.model)
                    #expect(hybrid.matches.map(\.id) == ["17"])

                    try await vectors.delete((0..<20).map { "\($0)" }, from: seed.name)
                    let deleted = try await vectors.delete(where: .equals("category", .text("diuretic")), from: seed.name)
                    #expect(deleted.deletedCount == 10)
                    let left = try await elsewhere.find(
                        near: query, in: seed.name, limit: 40, minPosition: deleted.position, model: seed.model)
                    #expect(Set(left.matches.map(\.id)) == Set((20..<40).filter { $0 % 2 == 0 }.map { "\($0)" }))
                    try await elsewhere.expectIndexEqualsTable(seed.name)
                }
            }
            let rows = try await database.server.psql(
                """
                SELECT count(*) FILTER (WHERE deleted_at IS NULL), count(*) FILTER (WHERE deleted_at IS NOT NULL AND content = '' AND embedding IS NULL)
                FROM vectors.\(seed.table)
                """, database: database.name)
            #expect(rows == "10|30")
            #expect(try await database.server.psql("SELECT count(*) FROM vectors.documents", database: database.name) == "0")
        }
    }

    @Test func `has documents under ids that are others in another space`() async throws {
        try await withVectors { vectors in
            let (texts, images) = (SeedCollection.all[3], SeedCollection.all[4])
            // One document: what it says, and the picture of it.
            try await vectors.upsert(
                [.at(.along(3, dimension: 768), "atlas-17", content: "an enlarged heart")], in: texts.name, model: texts.model)
            try await vectors.upsert(
                [.at(.along(9, dimension: 1_152), "atlas-17", content: "radiograph of the chest")], in: images.name,
                model: images.model)

            let text = try await vectors.find(near: .along(3, dimension: 768), in: texts.name, model: texts.model)
            let image = try await vectors.find(near: .along(9, dimension: 1_152), in: images.name, model: images.model)

            #expect(text.matches.map(\.id) == ["atlas-17"] && image.matches.map(\.id) == ["atlas-17"])
            #expect(text.matches.first?.content == "an enlarged heart")
            #expect(image.matches.first?.content == "radiograph of the chest")
            try await vectors.delete(["atlas-17"], from: texts.name)
            #expect(try await vectors.find(near: .along(3, dimension: 768), in: texts.name, model: texts.model).matches.isEmpty)
            #expect(
                try await vectors.find(near: .along(9, dimension: 1_152), in: images.name, model: images.model).matches.count == 1)
        }
    }

    @Test func `takes no embeddings of another space, and says which spaces they are`() async throws {
        try await withVectors { vectors in
            let (texts, images) = (SeedCollection.all[3], SeedCollection.all[4])
            let error = await #expect(throws: VectorsError.self) {
                try await vectors.find(near: .along(1, dimension: 768), in: images.name, model: texts.model)
            }
            #expect(error?.rpcError.message.contains(texts.model) == true)
            #expect(error?.rpcError.message.contains(images.model) == true)
            do {
                _ = try await vectors.find(near: .along(1, dimension: 768), in: images.name, model: images.model)
                Issue.record("The search was answered.")
            } catch let error as RPCError {
                let sentence = error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.first?.description_p ?? ""
                #expect(sentence.contains("768") && sentence.contains("1152"), "\(sentence)")
            }
            await expect(.invalidArgument, fields: ["model_id"]) {
                try await vectors.upsert([.at(.along(1, dimension: 768), "a")], in: images.name, model: "")
            }
        }
    }

    @Test func `answers to its table's name as well`() async throws {
        try await withVectors { vectors in
            for seed in SeedCollection.all where seed.table != seed.name {
                let model = seed.model
                let kept = try await vectors.upsert([.at(.along(0, dimension: seed.dimension), "a")], in: seed.table, model: model)
                let found = try await vectors.find(near: .along(0, dimension: seed.dimension), in: seed.table, model: model)

                #expect((kept.collection, found.collection) == (seed.name, seed.name))
                #expect(found.matches.map(\.id) == ["a"])
            }
        }
    }

    @Test func `has its table's name from the schema unless somebody had taken it`() async throws {
        try await withVectorsDatabase { database in
            let server = database.server
            try await server.psql(
                """
                DELETE FROM vectors.aliases;
                INSERT INTO vectors.collections (id, name, model_id, dimension, metric) VALUES
                    ('019a0000-0000-7000-8000-000000000003', 'vector_drug_interactions', 'mine', 2, 'euclidean');
                INSERT INTO vectors.aliases (name, collection_id, position)
                    SELECT 'vector_symptoms_conditions', id, position FROM vectors.collections WHERE name = 'medical_text_768'
                """, database: database.name)
            let revision = try #require(Schema.chain.revisions.first { $0.id == "20261201_table_names" })
            try await server.psql(revision.sql, database: database.name)

            let aliases = try await server.psql(
                "SELECT a.name, c.name FROM vectors.aliases a JOIN vectors.collections c ON c.id = a.collection_id ORDER BY 1", database: database.name)
            #expect(aliases.contains("vector_medical_knowledge|medical_knowledge"))
            #expect(aliases.contains("vector_symptoms_conditions|medical_text_768"))
            #expect(!aliases.contains("drug_interactions"))
        }
    }

    @Test func `keeps what its table had, and what somebody had made under its name`() async throws {
        try await withVectorsDatabase { database in
            let server = database.server
            try await server.psql(
                """
                DELETE FROM vectors.aliases; DELETE FROM vectors.collections;
                INSERT INTO vectors.vector_drug_interactions (id, content, embedding, position)
                    SELECT i::text, 'kept', '[' || repeat('0.5,', 383) || '1]', i FROM generate_series(1, 3) i;
                INSERT INTO vectors.vector_drug_interactions (id, content, position, deleted_at) VALUES ('gone', '', 4, now());
                INSERT INTO vectors.collections (id, name, model_id, dimension, metric) VALUES
                    ('019a0000-0000-7000-8000-0000deadbeef', 'medical_images_1152', 'mine', 2, 'euclidean'),
                    ('019a0000-0000-7000-8000-000000000002', 'medical_knowledge', 'theirs', 384, 'cosine')
                """, database: database.name)
            let revision = try #require(Schema.chain.revisions.first { $0.id == "20261129_seed_collections" })
            try await server.psql(revision.sql, database: database.name)

            try await database.withReplica { vectors in
                #expect(try await vectors.collection("medical_images_1152_deadbeef")?.modelId == "mine")
                #expect(try await vectors.collection("medical_images_1152")?.dimension == 1_152)
                #expect(try await vectors.collection("medical_knowledge")?.modelId == "theirs")
                let kept = try #require(try await vectors.collection("drug_interactions"))
                #expect((kept.documentCount, kept.position) == (3, 4))
                let found = try await vectors.find(
                    near: .along(383), in: "drug_interactions", minPosition: 4, model: MedicalSample.model)
                #expect(found.matches.count == 3)
            }
        }
    }
}
