internal import Application
internal import FoundationEssentials
internal import HNSW
internal import Postgres
internal import RecordTestSupport
internal import Schema
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `The statements of Vectors` {
    @Test func `run on the migrated schema as the service's role, and do what they say`() async throws {
        try await withVectorsDatabase { try await expectSound(in: $0) }
    }

    @Test func `run as well where the database has pgvector`() async throws {
        try await withVectorsDatabase(on: try await PostgresServer.startWithVectors()) { try await expectSound(in: $0) }
    }

    @Test func `are all in the catalogue`() throws {
        // Its records are none of those that all tables of a person share.
        let shared = try ["Authentication", "Erasure"].map { try StatementSources("Libraries/Application", part: $0) }

        try StatementSources("Services/Vectors").expectComplete(Self.catalogue(), with: shared)
    }

    private func expectSound(in database: VectorsDatabase) async throws {
        let catalogue = try Self.catalogue() + JobStatements.catalogue(in: "vectors")
        let configuration = database.server.configuration(database: database.name, user: ServiceRole.vectors.roleName)
        try await PostgresServer.withClient(configuration) { postgres in
            try await catalogue.expectSound(
                on: postgres, texts: [EmbeddingText.encode([Float](repeating: 1, count: 384))],
                bytes: [768, 1_152].map { EmbeddingBytes.encode([Float](repeating: 1, count: $0)) })
        }
    }

    private static func catalogue() throws -> [CataloguedStatement] {
        let ordinary = try CollectionName("notes")
        let space = EmbeddingSpace(model: try ModelID("model"), dimension: 2, metric: .cosine)

        return try [
            .init(.create(UUID(), ordinary, in: space)),
            .init(Statement<Collection>.find(ordinary)),
            .init(Statement<Collection>.list),
            .init(.runDueJobs),
        ] + documents(in: ordinary, space) + documents(in: .medicalKnowledge, space) + memories()
            + records(DrugInteractionVectors.self) + records(SymptomConditionVectors.self) + records(MedicalTextVectors.self)
            + records(MedicalImageVectors.self) + ErasureStatements.catalogue(in: "vectors")
    }

    private static func memories() throws -> [CataloguedStatement] {
        let user = UUID()
        let memory = UserMemory(
            id: DocumentID(kept: "1"), content: try DocumentContent("text"), embedding: try VectorEmbedding(1))

        return [
            .init(.isRevoked(session: user, of: user)),
            .init(.lockMemories(of: user)),
            .init(.upsert([memory], [JSONB("{}")], of: user)),
            .init(.delete([memory.id], of: user)),
            .init(.deleteExpired(of: user)),
            .init(Statement<UserMemory>.find([memory.id], of: user)),
            .init(Statement<UserMemory>.list(of: user, after: nil, limit: 1)),
        ]
    }

    private static func records<Table: VectorTable>(_ table: Table.Type) throws -> [CataloguedStatement] {
        let record = VectorRecord<Table>(
            id: DocumentID(kept: "1"), content: try DocumentContent("text"), embedding: try VectorEmbedding(1))

        return [
            .init(.lock(table)),
            .init(.upsert([record], [JSONB("{}")])),
            .init(.delete([record.id], from: table)),
            .init(.position(of: table)),
            .init(Statement<VectorRecord<Table>>.find([record.id], in: table)),
            .init(Statement<VectorRecord<Table>>.list(in: table, after: nil, limit: 1)),
        ]
    }

    /// The statements differ with the table that a collection has.
    private static func documents(in name: CollectionName, _ space: EmbeddingSpace) throws -> [CataloguedStatement] {
        let collection = Collection(
            id: UUID(), name: name, space: space, documentCount: 0, position: 0, createdAt: .now())
        let table = DocumentTable(of: collection)
        let document = NewDocument(
            id: DocumentID(kept: "1"), content: try DocumentContent("text"), embedding: try Embedding([1, 0], in: space),
            metadata: try DocumentMetadata([:]))

        return [
            .init(.lock(collection)),
            .init(.upsert([document], [JSONB("{}")], at: 1, in: collection, table)),
            .init(.delete([document.id], at: 1, from: collection, table)),
            .init(Statement<KeptDocument>.find([document.id], in: table)),
            .init(.changes(in: table, after: ChangeCursor(behind: 0), limit: 1)),
            .init(.changes(in: table, after: ChangeCursor(behind: 0), limit: 1, skipsDeleted: true)),
            .init(.standing(of: collection, at: 1, table)),
        ]
    }
}
