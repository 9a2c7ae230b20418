internal import FoundationEssentials
internal import Postgres

/// The documents of every collection, in whichever table a collection has.
///
/// Every change takes the lock of the collection's row and the next position, so positions are committed in their
/// order: whoever can see a position can see all before it.
struct DocumentRepository: Sendable {
    let postgres: Postgres

    /// What an upsert did.
    struct Upserted: Hashable, Sendable {
        let position: Int64
        /// How many of the documents were there before.
        let replacedCount: Int
    }

    /// Adds documents or replaces those with the same id, all or none. The ids differ from each other.
    ///
    /// - Throws: `.aliasHasMoved` if the alias that led there does so no more.
    func upsert(
        _ documents: [NewDocument], in collection: Collection, by alias: CollectionName? = nil
    ) async throws -> Upserted {
        let table = DocumentTable(of: collection)
        let metadata = try documents.map { document throws(PostgresError) in
            try MetadataJSON.encode(document.metadata)
        }
        return try await postgres.transaction(tier: .slow) { transaction in
            let position = try await lock(collection, by: alias, in: transaction) + 1
            let replaced = try await transaction.first(
                .upsert(documents, metadata, at: position, in: collection, table))
            return Upserted(position: position, replacedCount: replaced?.value ?? 0)
        }
    }

    /// What a deletion did.
    struct Deleted: Hashable, Sendable {
        let position: Int64
        let count: Int
    }

    /// Empties the documents and leaves them as tombstones, so that other replicas learn of the deletion. Without a
    /// document to delete the position stays.
    func delete(
        _ ids: [DocumentID], from collection: Collection, by alias: CollectionName? = nil
    ) async throws -> Deleted {
        try await delete(from: collection, by: alias) { _ in ids }
    }

    /// Deletes the documents that are chosen once the collection can change no more.
    ///
    /// - Parameter choose: Given the collection's position, at which it stays until the deletion is committed.
    func delete(
        from collection: Collection, by alias: CollectionName?, _ choose: @Sendable (_ position: Int64) async throws -> [DocumentID]
    ) async throws -> Deleted {
        let table = DocumentTable(of: collection)
        return try await postgres.transaction(tier: .normal) { transaction in
            let position = try await lock(collection, by: alias, in: transaction) + 1
            let ids = try await choose(position - 1)
            guard !ids.isEmpty else { return Deleted(position: position - 1, count: 0) }
            let count = try await transaction.first(.delete(ids, at: position, from: collection, table))
            guard let count else { return Deleted(position: position - 1, count: 0) }
            return Deleted(position: position, count: count.value)
        }
    }

    /// Takes the lock that orders the changes of a collection, and returns its position.
    private func lock(
        _ collection: Collection, by alias: CollectionName?, in transaction: Transaction
    ) async throws -> Int64 {
        let position = try await transaction.first(.lock(collection))
        guard let position else { throw alias == nil ? VectorsError.collectionNotFound : .aliasHasMoved }
        if let alias {
            // It leads elsewhere once this lock has been held for that.
            let target = try await transaction.first(.target(of: alias))
            guard target?.value == collection.id else { throw VectorsError.aliasHasMoved }
        }
        return position.value
    }

    /// Where a collection's table is; `nil` if the collection is gone.
    func position(of collection: Collection) async throws(PostgresError) -> Int64? {
        try await postgres.first(.position(of: collection))?.value
    }

    /// The documents with these ids that are there now.
    func find(_ ids: [DocumentID], in collection: Collection) async throws(PostgresError) -> [KeptDocument] {
        try await postgres.rows(.find(ids, in: DocumentTable(of: collection)))
    }
}

extension Statement<Scalar<Int64>> {
    static func position(of collection: Collection) -> Self {
        .reading("SELECT position FROM vectors.collections WHERE id = \(collection.id)")
    }

    /// The position of a collection, whose row is locked until the commit.
    static func lock(_ collection: Collection) -> Self {
        .writing("SELECT position FROM vectors.collections WHERE id = \(collection.id) FOR UPDATE")
    }
}

extension Statement<Scalar<Int>> {
    /// How many documents were replaced.
    static func upsert(
        _ documents: [NewDocument], _ metadata: [JSONB], at position: Int64, in collection: Collection, _ table: DocumentTable
    ) -> Self {
        .writing(
            """
            WITH live AS (
                SELECT count(*) AS replaced FROM \(table.name)
                WHERE \(table.scope) AND id = ANY(\(documents.map(\.id.text))) AND deleted_at IS NULL
            ), written AS (
                INSERT INTO \(table.name) (\(table.keyColumns)id, content, embedding, metadata, position)
                SELECT \(table.keyValues)new.id, new.content, \(table.embedding.stored), new.metadata, \(position)
                FROM unnest(
                    \(documents.map(\.id.text)), \(documents.map(\.content.text)),
                    \(table.embedding.array(of: documents.map(\.embedding))), \(metadata)
                ) AS new (id, content, embedding, metadata)
                ON CONFLICT (\(table.keyColumns)id) DO UPDATE
                SET content = excluded.content, embedding = excluded.embedding, metadata = excluded.metadata,
                    position = excluded.position, deleted_at = NULL
            )
            UPDATE vectors.collections
            SET position = \(position),
                document_count = document_count + \(documents.count) - (SELECT replaced FROM live)
            WHERE id = \(collection.id)
            RETURNING (SELECT replaced FROM live)
            """)
    }

    /// How many documents were deleted; no row if there was none.
    static func delete(
        _ ids: [DocumentID], at position: Int64, from collection: Collection, _ table: DocumentTable
    ) -> Self {
        .writing(
            """
            WITH gone AS (
                UPDATE \(table.name)
                SET content = '', embedding = \(table.noEmbedding), metadata = '{}', position = \(position),
                    deleted_at = clock_timestamp()
                WHERE \(table.scope) AND id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL
                RETURNING id
            )
            UPDATE vectors.collections
            SET position = \(position), document_count = document_count - (SELECT count(*) FROM gone)
            WHERE id = \(collection.id) AND EXISTS (SELECT FROM gone)
            RETURNING (SELECT count(*) FROM gone)
            """)
    }
}

extension Statement<KeptDocument> {
    static func find(_ ids: [DocumentID], in table: DocumentTable) -> Self {
        .reading(
            """
            SELECT id, content, metadata, position, updated_at FROM \(table.name)
            WHERE \(table.scope) AND id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL
            """)
    }
}

extension KeptDocument: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = DocumentID(kept: try row.decode("id", as: String.self))
        content = try row.decode("content", as: String.self)
        metadata = try MetadataJSON.decode(row.decode("metadata", as: JSONB.self))
        version = RowVersion(position: try row.decode("position"), changedAt: try row.decode("updated_at"))
    }
}
