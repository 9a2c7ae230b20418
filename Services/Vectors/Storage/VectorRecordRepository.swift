internal import Postgres

/// The rows of a table of vectors that is nobody's in particular.
///
/// Every change takes the table's lock and the next position, so positions are committed in their order: whoever can see a position
/// can see all before it. A row that is deleted stays as a tombstone.
struct VectorRecordRepository<Table: VectorTable>: Sendable {
    let postgres: Postgres

    /// Adds records or replaces those with the same id, all or none, and returns their position. The ids differ from each other.
    func upsert(_ records: [VectorRecord<Table>]) async throws(PostgresError) -> Int64 {
        let metadata = try records.map { record throws(PostgresError) in try MetadataJSON.encode(record.metadata) }
        let (_, _, position) = try await postgres.batch(
            .lock(Table.self), .upsert(records, metadata), .position(of: Table.self))
        return try position.first()?.value ?? 0
    }

    /// Empties the records and leaves them as tombstones. How many there were.
    func delete(_ ids: [DocumentID]) async throws(PostgresError) -> Int {
        try await postgres.batch(.lock(Table.self), .delete(ids, from: Table.self)).1.rowsAffected
    }

    /// The records with these ids that are there, by id.
    func find(_ ids: [DocumentID]) async throws(PostgresError) -> [VectorRecord<Table>] {
        try await postgres.rows(.find(ids, in: Table.self))
    }

    /// At most `limit` records by id, behind the one with the id `last`, if one is given.
    func list(after last: DocumentID? = nil, limit: Int) async throws(PostgresError) -> [VectorRecord<Table>] {
        try await postgres.rows(.list(in: Table.self, after: last, limit: limit))
    }
}

extension VectorTable {
    fileprivate static var nextPosition: Query { "(SELECT coalesce(max(position), 0) + 1 FROM \(name))" }
}

extension Statement<Void> {
    /// A lock's number is the hash of the table's name; it is held to the end of the transaction.
    static func lock<Table: VectorTable>(_: Table.Type) -> Self {
        .reading("SELECT pg_advisory_xact_lock(hashtextextended(\(Table.name.sql), 0))")
    }

    /// A statement of its own, behind the lock: only one that begins after it sees what its last holder committed.
    static func upsert<Table: VectorTable>(_ records: [VectorRecord<Table>], _ metadata: [JSONB]) -> Self {
        .writing(
            """
            INSERT INTO \(Table.name) (id, content, embedding, metadata, position)
            SELECT new.id, new.content, \(Table.storedEmbedding), new.metadata, \(Table.nextPosition)
            FROM unnest(
                \(records.map(\.id.text)), \(records.map(\.content.text)), \(Table.array(of: records.map(\.embedding))), \(metadata)
            ) AS new (id, content, embedding, metadata)
            ON CONFLICT (id) DO UPDATE SET content = excluded.content, embedding = excluded.embedding,
                metadata = excluded.metadata, position = excluded.position, deleted_at = NULL
            """,
            tier: .slow)
    }

    static func delete<Table: VectorTable>(_ ids: [DocumentID], from _: Table.Type) -> Self {
        .writing(
            """
            UPDATE \(Table.name) SET content = '', embedding = NULL, metadata = '{}', position = \(Table.nextPosition),
                deleted_at = clock_timestamp()
            WHERE id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<Int64>> {
    static func position<Table: VectorTable>(of _: Table.Type) -> Self {
        .reading("SELECT coalesce(max(position), 0) FROM \(Table.name)")
    }
}

extension Statement {
    static func find<Table: VectorTable>(
        _ ids: [DocumentID], in _: Table.Type
    ) -> Self where Value == VectorRecord<Table> {
        .reading(
            """
            SELECT \(VectorRecord<Table>.columns) FROM \(Table.name)
            WHERE id = ANY(\(ids.map(\.text))) AND deleted_at IS NULL ORDER BY id
            """)
    }

    static func list<Table: VectorTable>(
        in _: Table.Type, after last: DocumentID?, limit: Int
    ) -> Self where Value == VectorRecord<Table> {
        .reading(
            """
            SELECT \(VectorRecord<Table>.columns) FROM \(Table.name)
            WHERE id > \(last?.text ?? "") AND deleted_at IS NULL ORDER BY id LIMIT \(limit)
            """,
            tier: .slow)
    }
}
