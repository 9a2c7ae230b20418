internal import Application
internal import FoundationEssentials
internal import Postgres

/// The rows of `vectors.vector_user_memories`. Every statement runs as the person whose rows it touches.
///
/// A person's changes take the person's lock and the next of the person's positions, as a collection's do.
struct UserMemoryRepository: Sendable {
    let postgres: Postgres

    /// Adds memories or replaces those with the same id, all or none. The ids differ from each other.
    func upsert(_ memories: [UserMemory], of user: UUID) async throws(PostgresError) {
        let metadata = try memories.map { memory throws(PostgresError) in try MetadataJSON.encode(memory.storedMetadata) }
        _ = try await postgres.batch(.lockMemories(of: user), .upsert(memories, metadata, of: user), identity: .user(user))
    }

    /// Empties the memories and leaves them as tombstones. How many there were.
    func delete(_ ids: [DocumentID], of user: UUID) async throws(PostgresError) -> Int {
        try await postgres.batch(.lockMemories(of: user), .delete(ids, of: user), identity: .user(user)).1.rowsAffected
    }

    /// Empties what is past its end, so that it is not only kept from being served. How many there were.
    func deleteExpired(of user: UUID) async throws(PostgresError) -> Int {
        try await postgres.batch(.lockMemories(of: user), .deleteExpired(of: user), identity: .user(user)).1.rowsAffected
    }

    /// The memories with these ids that are there and have not ended, by id.
    func find(_ ids: [DocumentID], of user: UUID) async throws(PostgresError) -> [UserMemory] {
        try await postgres.rows(.find(ids, of: user), identity: .user(user))
    }

    /// At most `limit` memories that have not ended by id, behind the one with the id `last`, if one is given.
    func list(of user: UUID, after last: DocumentID? = nil, limit: Int) async throws(PostgresError) -> [UserMemory] {
        try await postgres.rows(.list(of: user, after: last, limit: limit), identity: .user(user))
    }

    /// Of what is neither deleted nor past its end. An end that is no number is nothing that this service wrote, and is taken for past:
    /// what should have been forgotten is worse to serve than what could have been remembered is to miss.
    fileprivate static let isServed: Query = """
        deleted_at IS NULL AND CASE
            WHEN NOT metadata ? 'expires_at_us' THEN true
            WHEN metadata ->> 'expires_at_us' ~ '^-?[0-9]{1,18}$'
                THEN (metadata ->> 'expires_at_us')::bigint > extract(epoch FROM clock_timestamp()) * 1000000
            ELSE false END
        """

    fileprivate static func nextPosition(_ user: UUID) -> Query {
        "(SELECT coalesce(max(position), 0) + 1 FROM vectors.vector_user_memories WHERE user_id = \(user))"
    }
}

extension Statement<Void> {
    static func lockMemories(of user: UUID) -> Self {
        .reading("SELECT pg_advisory_xact_lock(hashtextextended('vectors.vector_user_memories ' || \(user)::text, 0))")
    }

    /// A statement of its own, behind the lock: only one that begins after it sees what its last holder committed.
    static func upsert(_ memories: [UserMemory], _ metadata: [JSONB], of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO vectors.vector_user_memories (user_id, id, content, embedding, metadata, position)
            SELECT \(user), new.id, new.content, \(UserMemoryVectors.storedEmbedding), new.metadata,
                   \(UserMemoryRepository.nextPosition(user))
            FROM unnest(
                \(memories.map(\.id.text)), \(memories.map(\.content.text)),
                \(UserMemoryVectors.array(of: memories.map(\.embedding))), \(metadata)
            ) AS new (id, content, embedding, metadata)
            ON CONFLICT (user_id, id) DO UPDATE SET content = excluded.content, embedding = excluded.embedding,
                metadata = excluded.metadata, position = excluded.position, deleted_at = NULL
            """,
            tier: .normal)
    }

    static func delete(_ memories: [DocumentID], of user: UUID) -> Self {
        empty("id = ANY(\(memories.map(\.text)))", of: user)
    }

    static func deleteExpired(of user: UUID) -> Self {
        empty("NOT (\(UserMemoryRepository.isServed))", of: user)
    }

    private static func empty(_ condition: Query, of user: UUID) -> Self {
        .writing(
            """
            UPDATE vectors.vector_user_memories SET content = '', embedding = NULL, metadata = '{}',
                position = \(UserMemoryRepository.nextPosition(user)), deleted_at = clock_timestamp()
            WHERE user_id = \(user) AND deleted_at IS NULL AND \(condition)
            """,
            tier: .normal)
    }
}

extension Statement<UserMemory> {
    static func find(_ ids: [DocumentID], of user: UUID) -> Self {
        .reading(
            """
            SELECT \(UserMemory.columns) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND id = ANY(\(ids.map(\.text))) AND \(UserMemoryRepository.isServed) ORDER BY id
            """)
    }

    static func list(of user: UUID, after last: DocumentID?, limit: Int) -> Self {
        .reading(
            """
            SELECT \(UserMemory.columns) FROM vectors.vector_user_memories
            WHERE user_id = \(user) AND id > \(last?.text ?? "") AND \(UserMemoryRepository.isServed) ORDER BY id LIMIT \(limit)
            """)
    }
}
