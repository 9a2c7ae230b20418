internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The rows of `vectors.vector_user_memories`. Every statement runs as the person whose rows it touches.
///
/// A person's changes take the person's lock and the next of the person's positions, as a collection's do. What a search compares is read
/// from the table each time, under its policies and the database's clock; nothing of it is kept here.
struct MemoryRepository: Sendable {
    let postgres: Postgres

    /// What a change did.
    struct Change: Hashable, Sendable {
        let position: Int64
        /// How many memories were replaced, or deleted.
        let count: Int
    }

    /// Adds memories or replaces those with the same id, all or none. The ids differ from each other.
    ///
    /// - Throws: `VectorsError.tooManyMemories`.
    func upsert(_ memories: [NewMemory], of user: UUID) async throws -> Change {
        let metadata = try memories.map { memory throws(PostgresError) in try MetadataJSON.encode(memory.note.metadata) }
        let (_, _, written, _) = try await postgres.batch(
            .lockMemories(of: user), .emptyExpired(of: user), .upsert(memories, metadata, of: user),
            .removeTombstones(of: user), identity: .user(user))
        guard let change = try written.first() else { throw VectorsError.tooManyMemories }
        return change
    }

    /// Empties memories and leaves them as tombstones until the next change. Without one to delete the position stays.
    func delete(_ deletion: MemoryDeletion, of user: UUID) async throws -> Change {
        try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            _ = try await transaction.batch(.lockMemories(of: user), .emptyExpired(of: user))
            let ids: [MemoryID]? =
                switch deletion {
                case .all: nil
                case .ids(let ids): ids
                case .passing(let selection):
                    try await transaction.rows(.notes(of: user, selection.types)).filter(selection.passes).map(\.id)
                }
            let (deleted, _) = try await transaction.batch(.delete(ids, of: user), .removeTombstones(of: user))
            guard let change = try deleted.first() else {
                throw PostgresError(.decoding, "The server did not say how many memories were deleted.")
            }
            return change
        }
    }

    /// What a search has to compare, and a position whose changes are all among it.
    func candidates(_ selection: MemorySelection, of user: UUID) async throws -> (position: Int64, [MemoryCandidate]) {
        let (position, candidates) = try await postgres.batch(
            .memoryPosition(of: user), .candidates(selection, of: user), identity: .user(user))
        return (try position.first()?.value ?? 0, try candidates.rows())
    }

    /// The memories with these ids that are there and have not ended.
    func find(_ ids: [MemoryID], of user: UUID) async throws(PostgresError) -> [KeptMemory] {
        try await postgres.rows(.memories(ids, of: user), identity: .user(user))
    }

    /// At most `limit` memories that have not ended by id, behind the one with the id `last`, if one is given.
    func list(
        of user: UUID, _ types: [MemoryType] = [], after last: MemoryID? = nil, limit: Int
    ) async throws(PostgresError) -> [KeptMemory] {
        try await postgres.rows(.memories(of: user, types, after: last, limit: limit), identity: .user(user))
    }

    fileprivate static let isServed: Query = "deleted_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"

    /// None: all types.
    fileprivate static func isOf(_ types: [MemoryType]) -> Query {
        types.isEmpty ? "true" : "memory_type = ANY(\(types.map(\.text)))"
    }

    fileprivate static func position(of user: UUID) -> Query {
        "(SELECT coalesce(max(position), 0) FROM vectors.vector_user_memories WHERE user_id = \(user))"
    }

    /// What a row is as a tombstone.
    fileprivate static let emptied: Query = """
        content = '', embedding = NULL, metadata = '{}', memory_type = DEFAULT, importance = DEFAULT, expires_at = NULL,
            deleted_at = clock_timestamp()
        """
}

extension Statement<Void> {
    static func lockMemories(of user: UUID) -> Self {
        .advisoryLock("vectors.vector_user_memories", of: user)
    }

    /// Nobody waits for this: the position stays.
    static func emptyExpired(of user: UUID) -> Self {
        .writing(
            """
            UPDATE vectors.vector_user_memories SET \(MemoryRepository.emptied)
            WHERE user_id = \(user) AND expires_at <= clock_timestamp()
            """,
            tier: .normal)
    }

    /// Those of earlier changes. One of the newest is what keeps the position when no memory is left.
    static func removeTombstones(of user: UUID) -> Self {
        .writing(
            """
            DELETE FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND deleted_at IS NOT NULL AND position < \(MemoryRepository.position(of: user))
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<Int64>> {
    static func memoryPosition(of user: UUID) -> Self {
        .reading("SELECT \(MemoryRepository.position(of: user)) AS position")
    }
}

extension Statement<MemoryRepository.Change> {
    /// A statement of its own, behind the lock: only one that begins after it sees what its last holder committed. No row if there
    /// would be too many.
    static func upsert(_ memories: [NewMemory], _ metadata: [JSONB], of user: UUID) -> Self {
        let notes = memories.map(\.note)
        return .writing(
            """
            WITH known AS (
                SELECT count(*) AS held, count(*) FILTER (WHERE id = ANY(\(notes.map(\.id.text)))) AS replaced,
                       \(MemoryRepository.position(of: user)) + 1 AS position
                FROM vectors.vector_user_memories WHERE user_id = \(user) AND deleted_at IS NULL
            ), written AS (
                INSERT INTO vectors.vector_user_memories
                    (user_id, id, content, embedding, metadata, memory_type, importance, expires_at, position)
                SELECT \(user), new.id, new.content, \(EmbeddingColumn.text.stored), new.metadata, new.memory_type, new.importance,
                       new.expires_at, known.position
                FROM known, unnest(
                    \(notes.map(\.id.text)), \(notes.map(\.content.text)),
                    \(EmbeddingColumn.text.array(of: memories.map(\.embedding))), \(metadata), \(notes.map(\.type.text)),
                    \(notes.map(\.importance.value)), \(notes.map(\.expiresAt))
                ) AS new (id, content, embedding, metadata, memory_type, importance, expires_at)
                WHERE known.held - known.replaced + \(memories.count) <= \(KeptMemory.mostOfOnePerson)
                ON CONFLICT (user_id, id) DO UPDATE SET content = excluded.content, embedding = excluded.embedding,
                    metadata = excluded.metadata, memory_type = excluded.memory_type, importance = excluded.importance,
                    expires_at = excluded.expires_at, position = excluded.position, deleted_at = NULL
                RETURNING 1
            )
            SELECT position, replaced AS count FROM known WHERE EXISTS (SELECT FROM written)
            """,
            tier: .normal)
    }

    /// - Parameter ids: `nil` for all.
    static func delete(_ ids: [MemoryID]?, of user: UUID) -> Self {
        let chosen: Query = ids.map { "id = ANY(\($0.map(\.text)))" } ?? "true"
        return .writing(
            """
            WITH gone AS (
                UPDATE vectors.vector_user_memories
                SET \(MemoryRepository.emptied), position = \(MemoryRepository.position(of: user)) + 1
                WHERE user_id = \(user) AND deleted_at IS NULL AND \(chosen)
                RETURNING position
            )
            SELECT coalesce((SELECT max(position) FROM gone), \(MemoryRepository.position(of: user))) AS position,
                   (SELECT count(*) FROM gone) AS count
            """,
            tier: .normal)
    }
}

extension Statement<MemoryCandidate> {
    static func candidates(_ selection: MemorySelection, of user: UUID) -> Self {
        // Metadata take longer to read than components. What nobody wrote through this service may have none, and keeps the rest from nobody.
        let metadata: Query = selection.filter == nil ? "'{}'::jsonb AS metadata" : "metadata"
        return .reading(
            """
            SELECT id, components, \(metadata) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND \(MemoryRepository.isServed) AND \(MemoryRepository.isOf(selection.types))
                AND importance >= \(selection.leastImportance.value) AND length(components) = \(MemoryCandidate.byteCount)
            """)
    }
}

extension Statement<MemoryNote> {
    static func notes(of user: UUID, _ types: [MemoryType]) -> Self {
        .reading(
            """
            SELECT \(MemoryNote.columns) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND \(MemoryRepository.isServed) AND \(MemoryRepository.isOf(types))
            """,
            tier: .normal)
    }
}

extension Statement<KeptMemory> {
    static func memories(_ ids: [MemoryID], of user: UUID) -> Self {
        .reading(
            """
            SELECT \(KeptMemory.columns) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND id = ANY(\(ids.map(\.text))) AND \(MemoryRepository.isServed)
            """)
    }

    static func memories(of user: UUID, _ types: [MemoryType], after last: MemoryID?, limit: Int) -> Self {
        .reading(
            """
            SELECT \(KeptMemory.columns) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND id > \(last?.text ?? "") AND \(MemoryRepository.isServed)
                AND \(MemoryRepository.isOf(types))
            ORDER BY id LIMIT \(limit)
            """)
    }
}

extension MemoryRepository.Change: RowDecodable {
    init(row: Row) throws(PostgresError) {
        position = try row.decode("position")
        count = try row.decode("count")
    }
}

extension MemoryCandidate: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = MemoryID(kept: try row.decode("id", as: String.self))
        components = try row.decode("components", as: [UInt8].self)
        guard components.count == Self.byteCount else {
            throw PostgresError(.decoding, "Column “components” does not hold what memories are compared by.")
        }
        metadata = try MetadataJSON.decode(row.decode("metadata", as: JSONB.self))
    }
}

extension MemoryNote: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, content, metadata, memory_type, importance, expires_at"

    init(row: Row) throws(PostgresError) {
        id = MemoryID(kept: try row.decode("id", as: String.self))
        content = DocumentContent(kept: try row.decode("content", as: String.self))
        type = MemoryType(kept: try row.decode("memory_type", as: String.self))
        importance = Importance(kept: try row.decode("importance", as: Double.self))
        metadata = try MetadataJSON.decode(row.decode("metadata", as: JSONB.self))
        expiresAt = try row.decode("expires_at")
    }
}

extension KeptMemory: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "\(MemoryNote.columns), created_at, updated_at"

    init(row: Row) throws(PostgresError) {
        note = try MemoryNote(row: row)
        createdAt = try row.decode("created_at")
        updatedAt = try row.decode("updated_at")
    }
}
