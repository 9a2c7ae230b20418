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
        try StatementSources("Services/Vectors").expectComplete(Self.catalogue())
    }

    private func expectSound(in database: VectorsDatabase) async throws {
        let catalogue = try Self.catalogue()
        let configuration = database.server.configuration(database: database.name, user: ServiceRole.vectors.roleName)
        try await PostgresServer.withClient(configuration) { postgres in
            for statement in catalogue { try await statement.expectSound(on: postgres) }
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
        ] + documents(in: ordinary, space) + documents(in: .medicalKnowledge, space)
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
        ]
    }
}
