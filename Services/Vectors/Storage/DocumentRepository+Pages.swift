internal import Postgres

extension DocumentRepository {
    /// A document with everything that is kept of it.
    struct WholeDocument: Hashable, Sendable {
        let id: DocumentID
        let content: String
        let embedding: [Float]
        let metadata: DocumentMetadata
    }

    /// At most `limit` documents by id, behind the one with the id `last`, if one is given.
    func page(
        of collection: Collection, after last: DocumentID?, limit: Int
    ) async throws(PostgresError) -> [WholeDocument] {
        let table = DocumentTable(of: collection)
        let rows = try await postgres.rows(.page(of: table, after: last, limit: limit))
        return try rows.map { row throws(PostgresError) in
            WholeDocument(
                id: DocumentID(kept: try row.decode("id", as: String.self)),
                content: try row.decode("content", as: String.self),
                embedding: try table.embedding.components(from: row),
                metadata: try MetadataJSON.decode(row.decode("metadata", as: JSONB.self)))
        }
    }
}

extension Statement<Row> {
    /// What a `WholeDocument` is made of.
    static func page(of table: DocumentTable, after last: DocumentID?, limit: Int) -> Self {
        .reading(
            """
            SELECT id, content, \(table.embedding.read), metadata FROM \(table.name)
            WHERE \(table.scope) AND id > \(last?.text ?? "") AND deleted_at IS NULL ORDER BY id LIMIT \(limit)
            """,
            tier: .slow)
    }
}
