internal import Application
internal import Filters
internal import FoundationEssentials
internal import HNSW
internal import Postgres
internal import RPC
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
        try await VectorColumns.pgvector.withDatabase { try await expectSound(in: $0) }
    }

    @Test func `give no changes behind the last position that there could be`() {
        #expect(ChangeCursor(behind: 7).position == 8)
        #expect(ChangeCursor(behind: .max).position == .max)
    }

    @Test func `are all in the catalogue`() throws {
        // Its records are none of those that all tables of a person share.
        let shared = try ["Authentication", "Erasure", "Export", "Idempotency", "Locks"].map { try StatementSources("Libraries/Application", part: $0) }

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
            .init(.runDueJob),
            .init(.takeRunsOfOthers),
        ] + aliases(of: ordinary, space) + [
        ] + ([ordinary] + DocumentTable.ownNames).flatMap { try documents(in: $0, space) } + memories()
            + ErasureStatements.catalogue(in: "vectors") + KeptAnswerStatements.catalogue(in: "vectors") + ExportStatements.catalogue(in: "vectors", table: "vector_user_memories")
    }

    private static func aliases(of name: CollectionName, _ space: EmbeddingSpace) throws -> [CataloguedStatement] {
        let collection = Collection(id: UUID(), name: name, space: space, documentCount: 0, position: 0, createdAt: .now())
        let alias = try CollectionName("current")

        return [
            .init(Statement<CollectionAlias>.find(alias: alias)),
            .init(.aliases),
            .init(.target(of: alias)),
            .init(.lock(alias: alias)),
            .init(.create(alias: alias, for: collection)),
            .init(.point(alias, to: collection, from: UUID(), at: 1)),
            .init(.advance(collection, to: 1)),
            .init(.delete(alias: alias)),
            .init(.lockPositions(of: [UUID(), UUID()])),
            .init(.lockAliases(of: collection)),
            .init(.delete(collection)),
        ]
    }

    private static func memories() throws -> [CataloguedStatement] {
        let user = UUID()
        let note = MemoryNote(id: MemoryID(kept: "1"), content: try DocumentContent("text"), type: try MemoryType("note"))
        let embedding = try Embedding([Float](repeating: 1, count: 384), in: .memories)
        let filtered = MemorySelection(types: [note.type], filter: .exists("year"))

        return [
            .init(.isRevoked(session: user, of: user)),
            .init(.isGranted([.vitalsRead], by: user)),
            .init(.lockMemories(of: user)),
            .init(.emptyExpired(of: user)),
            .init(.emptyExpiredMemories(atMost: 1)),
            .init(.removeTombstones(of: user)),
            .init(.memoryPosition(of: user)),
            .init(.upsert([NewMemory(note: note, embedding: embedding)], [JSONB("{}")], of: user)),
            .init(.delete([note.id], of: user)),
            .init(.delete(nil, of: user)),
            .init(.candidates(.all, of: user)),
            .init(.candidates(filtered, of: user)),
            .init(.notes(of: user, filtered.types)),
            .init(Statement<KeptMemory>.memories([note.id], of: user)),
            .init(Statement<KeptMemory>.memories(of: user, filtered.types, after: nil, limit: 1)),
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
            .init(Statement<Scalar<Int64>>.position(of: collection)),
            .init(.upsert([document], [JSONB("{}")], at: 1, in: collection, table)),
            .init(.delete([document.id], at: 1, from: collection, table)),
            .init(Statement<KeptDocument>.find([document.id], in: table)),
            .init(.page(of: table, after: nil, limit: 1)),
            .init(.changes(in: table, after: ChangeCursor(behind: 0), limit: 1)),
            .init(.changes(in: table, after: ChangeCursor(behind: 0), limit: 1, skipsDeleted: true)),
            .init(
                .changes(
                    in: table, after: ChangeCursor(behind: 0), limit: 1, skipsDeleted: true,
                    reading: ChangeColumns(content: false, metadata: false))),
            .init(.standing(of: collection, at: 1, table)),
        ]
    }
}
