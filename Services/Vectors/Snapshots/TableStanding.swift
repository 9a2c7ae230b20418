internal import Postgres
internal import Time

/// How a table stands to an index that has followed it up to a position.
struct TableStanding: Hashable, Sendable {
    struct Newest: Hashable, Sendable {
        let id: DocumentID
        let version: RowVersion
    }

    /// The table's own position.
    let position: Int64
    /// How many documents it has there.
    let documentCount: Int64
    /// Rows behind the index's position.
    let newerCount: Int
    /// Of the rows up to the index's position that are not deleted, the newest; `nil` if there is none.
    let newest: Newest?
}

extension DocumentRepository {
    func standing(of collection: Collection, at position: Int64) async throws -> TableStanding {
        let standing = try await postgres.first(.standing(of: collection, at: position, DocumentTable(of: collection)))
        guard let standing else { throw VectorsError.collectionNotFound }
        return standing
    }
}

extension Statement<TableStanding> {
    static func standing(of collection: Collection, at position: Int64, _ table: DocumentTable) -> Self {
        .reading(
            """
            SELECT kept.position, kept.document_count, newest.id AS newest_id, newest.position AS newest_position,
                newest.updated_at AS newest_changed_at,
                (SELECT count(*) FROM \(table.name) WHERE \(table.scope) AND position > \(position)) AS newer_count
            FROM vectors.collections AS kept
            LEFT JOIN LATERAL (
                SELECT id, position, updated_at FROM \(table.name)
                WHERE \(table.scope) AND position <= \(position) AND deleted_at IS NULL
                ORDER BY position DESC, id DESC LIMIT 1
            ) AS newest ON true
            WHERE kept.id = \(collection.id)
            """,
            tier: .slow)
    }
}

extension TableStanding: RowDecodable {
    init(row: Row) throws(PostgresError) {
        position = try row.decode("position", as: Int64.self)
        documentCount = try row.decode("document_count", as: Int64.self)
        newerCount = try row.decode("newer_count", as: Int.self)
        guard let id = try row.decode("newest_id", as: String?.self) else {
            newest = nil
            return
        }
        let version = RowVersion(
            position: try row.decode("newest_position", as: Int64.self),
            changedAt: try row.decode("newest_changed_at", as: Instant.self))
        newest = Newest(id: DocumentID(kept: id), version: version)
    }
}
