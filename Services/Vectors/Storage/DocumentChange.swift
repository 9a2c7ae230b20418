internal import Postgres
internal import Time

/// One row of a collection's table as the index needs it.
struct DocumentChange: Hashable, Sendable {
    enum State: Hashable, Sendable {
        case live(embedding: [Float], metadata: DocumentMetadata, content: String)
        case deleted
        /// The row does not hold what it should; nobody wrote it through this service.
        case unreadable(reason: String)
    }

    let id: DocumentID
    let version: RowVersion
    let state: State

    var position: Int64 { version.position }
}

/// Where reading changes goes on: behind this row, in the order of position and id.
struct ChangeCursor: Hashable, Sendable {
    let position: Int64
    let id: String

    /// Behind everything up to a position. Ids have at least one character, so "" is before all of the next.
    init(behind position: Int64) {
        // A caller names any position, and nothing is behind the last one.
        self.position = max(position, position &+ 1)
        id = ""
    }

    init(behind change: DocumentChange) {
        position = change.position
        id = change.id.text
    }
}

/// What is read of a row besides what every reader of changes needs. The rest is empty, and not fetched.
struct ChangeColumns: Hashable, Sendable {
    static let all = ChangeColumns(content: true, metadata: true)

    let content: Bool
    let metadata: Bool
}

extension DocumentRepository {
    /// At most `limit` changes behind a cursor, in the order of position and id.
    ///
    /// A row that changes between two pages moves to a higher position, so a later page has it; once a page has fewer
    /// than `limit`, everything that was committed when it was read has been seen.
    ///
    /// - Parameter skipsDeleted: whether rows of documents that are gone are left out.
    func changes(
        in collection: Collection, after cursor: ChangeCursor, limit: Int, skipsDeleted: Bool = false, reading columns: ChangeColumns = .all
    ) async throws(PostgresError) -> [DocumentChange] {
        let table = DocumentTable(of: collection)
        let rows = try await postgres.rows(
            .changes(in: table, after: cursor, limit: limit, skipsDeleted: skipsDeleted, reading: columns))
        return try rows.map { row throws(PostgresError) in try DocumentChange(row: row, of: table) }
    }
}

extension Statement<Row> {
    /// What `DocumentChange` is made of.
    static func changes(
        in table: DocumentTable, after cursor: ChangeCursor, limit: Int, skipsDeleted: Bool = false, reading columns: ChangeColumns = .all
    ) -> Self {
        let isLive: Query = skipsDeleted ? " AND deleted_at IS NULL" : ""
        let content: Query = columns.content ? "content" : "'' AS content"
        let metadata: Query = columns.metadata ? "metadata" : "'{}'::jsonb AS metadata"
        return .reading(
            """
            SELECT id, position, updated_at, \(content), \(table.embedding.read), \(metadata), deleted_at IS NOT NULL AS is_deleted FROM \(table.name)
            WHERE \(table.scope) AND (position, id) > (\(cursor.position), \(cursor.id))\(isLive)
            ORDER BY position, id
            LIMIT \(limit)
            """,
            tier: .slow)
    }
}

extension DocumentChange {
    init(row: Row, of table: DocumentTable) throws(PostgresError) {
        id = DocumentID(kept: try row.decode("id", as: String.self))
        version = RowVersion(
            position: try row.decode("position", as: Int64.self), changedAt: try row.decode("updated_at", as: Instant.self))
        if try row.decode("is_deleted", as: Bool.self) {
            state = .deleted
        } else {
            state = DocumentChange.live(row, table)
        }
    }

    /// One row that cannot be read must not keep the collection from being searched.
    private static func live(_ row: Row, _ table: DocumentTable) -> State {
        do throws(PostgresError) {
            return .live(
                embedding: try table.embedding.components(from: row),
                metadata: try MetadataJSON.decode(row.decode("metadata", as: JSONB.self)),
                content: try row.decode("content", as: String.self))
        } catch {
            return .unreadable(reason: error.message)
        }
    }
}
