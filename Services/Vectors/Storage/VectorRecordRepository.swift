internal import Postgres

/// The rows of a table of vectors that is nobody's in particular.
///
/// Every change takes the table's lock and the next position, so positions are committed in their order: whoever can see a position
/// can see all before it. A row that is deleted stays as a tombstone.
struct VectorRecordRepository<Table: VectorTable>: Sendable {
    let postgres: Postgres

    /// A lock's number is the hash of the table's name; it is held to the end of the transaction.
    private static var lock: Query { "SELECT pg_advisory_xact_lock(hashtextextended(\(Table.name.sql), 0))" }
    private static var nextPosition: Query { "(SELECT coalesce(max(position), 0) + 1 FROM \(Table.name))" }

    /// Adds records or replaces those with the same id, all or none, and returns their position. The ids differ from each other.
    func upsert(_ records: [VectorRecord<Table>]) async throws(PostgresError) -> Int64 {
        let metadata = try records.map { record throws(PostgresError) in try MetadataJSON.encode(record.metadata) }
        let results = try await postgres.batch(
            [
                Self.lock,
                // A statement of its own: only one that begins after the lock sees what its last holder committed.
                """
                INSERT INTO \(Table.name) (id, content, embedding, metadata, position)
                SELECT new.id, new.content, \(Table.storedEmbedding), new.metadata, \(Self.nextPosition)
                FROM unnest(
                    \(records.map(\.id.text)), \(records.map(\.content.text)), \(Table.array(of: records.map(\.embedding))), \(metadata)
                ) AS new (id, content, embedding, metadata)
                ON CONFLICT (id) DO UPDATE SET content = excluded.content, embedding = excluded.embedding,
                    metadata = excluded.metadata, position = excluded.position, deleted_at = NULL
                """,
                "SELECT coalesce(max(position), 0) FROM \(Table.name)",
            ],
            tier: .slow)
        return try results[2].decode(as: Scalar<Int64>.self).first?.value ?? 0
    }

    /// Empties the records and leaves them as tombstones. How many there were.
    func delete(_ ids: [DocumentID]) async throws(PostgresError) -> Int {
        let results = try await postgres.batch(
            [
                Self.lock,
                """
                UPDATE \(Table.name) SET content = '', embedding = NULL, metadata = '{}', position = \(Self.nextPosition),
                    deleted_at = clock_timestamp()
                WHERE id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL
                """,
            ],
            tier: .normal)
        return results[1].rowsAffected
    }

    /// The records with these ids that are there, by id.
    func find(_ ids: [DocumentID]) async throws(PostgresError) -> [VectorRecord<Table>] {
        try await postgres.rows(
            """
            SELECT \(VectorRecord<Table>.columns) FROM \(Table.name)
            WHERE id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL ORDER BY id
            """,
            as: VectorRecord<Table>.self, mode: .readOnly)
    }

    /// At most `limit` records by id, behind the one with the id `last`, if one is given.
    func list(after last: DocumentID? = nil, limit: Int) async throws(PostgresError) -> [VectorRecord<Table>] {
        try await postgres.rows(
            """
            SELECT \(VectorRecord<Table>.columns) FROM \(Table.name)
            WHERE id > \(last?.text ?? "") AND deleted_at IS NULL ORDER BY id LIMIT \(limit)
            """,
            as: VectorRecord<Table>.self, tier: .slow, mode: .readOnly)
    }
}
