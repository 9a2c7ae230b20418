internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time

/// The rows of `chat.patient_memories`. Every statement runs as the person whose rows it touches.
struct MemoryRepository: Sendable {
    let postgres: Postgres
    let outbox: Outbox

    init(postgres: Postgres) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "chat.outbox")
    }

    /// What a person may have, history included: so many are read by one search.
    static let mostKept = 10_000

    /// Keeps a memory, and in the same transaction ends the one in whose place it comes. What is known already, by its client id or,
    /// while it is current, by its category and content, is not kept twice; if the content is the same, it gets the embedding that comes with it.
    ///
    /// - Throws: `ChatError.memoryNotFound` and `.memorySuperseded` about the one in whose place it would come, `.tooManyMemories`.
    func remember(_ new: NewMemory, of user: UUID) async throws -> (memory: Memory, isNew: Bool) {
        try await postgres.transaction(identity: .user(user)) { transaction in
            let (_, found, count) = try await transaction.batch(
                .lockMemories(of: user), .known(new, of: user), .memoryCount(of: user))
            let known = try found.first()
            if let known, known.isSameCall { return (try await embedded(known.memory, as: new, of: user, transaction), false) }

            var memory: Memory
            if let known {
                memory = try await embedded(known.memory, as: new, of: user, transaction)
            } else {
                guard try count.first()?.value ?? 0 < Self.mostKept else { throw ChatError.tooManyMemories }
                guard let made = try await transaction.first(.insert(new, of: user)) else {
                    throw PostgresError(.decoding, "A memory that was made could not be read.")
                }
                memory = made
            }
            if let old = new.supersedes, old != memory.id {
                // The moment that the new one begins, so that at each moment one of the two is current.
                let moment = known == nil ? memory.createdAt : nil
                guard try await transaction.first(.supersede(old, by: memory.id, at: moment, of: user)) != nil else {
                    let isThere = try await transaction.first(.memory(old, of: user)) != nil
                    throw isThere ? ChatError.memorySuperseded : ChatError.memoryNotFound
                }
            }
            return (memory, known == nil)
        }
    }

    /// A memory that is known, with the embedding that comes with its content now.
    private func embedded(
        _ memory: Memory, as new: NewMemory, of user: UUID, _ transaction: Transaction
    ) async throws(PostgresError) -> Memory {
        guard let embedding = new.embedding, memory.content == new.content.text else { return memory }
        return try await transaction.first(.embed(memory.id, embedding, of: user)) ?? memory
    }

    /// The newest first, since ids grow with time.
    func list(_ list: MemoryList, of user: UUID) async throws(PostgresError) -> [Memory] {
        try await postgres.rows(.list(list, of: user), identity: .user(user))
    }

    /// `nil` if the person has none with this id.
    func find(_ id: UUID, of user: UUID) async throws(PostgresError) -> Memory? {
        try await postgres.first(.memory(id, of: user), identity: .user(user))
    }

    /// Everything that a memory took the place of, itself, and what took its place, the oldest first, at most so many behind a place. Empty if there
    /// is none with this id.
    func history(
        of id: UUID, behind place: (at: Instant, id: UUID)?, limit: Int, _ user: UUID
    ) async throws(PostgresError) -> [Memory] {
        try await postgres.rows(.history(of: id, behind: place, limit: limit, user), identity: .user(user))
    }

    /// Removes memories for good, here at once and in Vectors by a job, which asks for each id: Vectors may have one that is not here. How many
    /// there were here.
    func forget(_ ids: [UUID], of user: UUID) async throws -> Int {
        let event = try OutboxEvent(MemoryForgetting.job, .init(user: user, ids: ids), about: user)
        return try await postgres.transaction(identity: .user(user)) { transaction in
            let count = try await transaction.execute(.forget(ids, of: user))
            try await outbox.add(event, in: transaction)
            return count
        }
    }
}

/// A memory that is known already.
struct KnownMemory: RowDecodable {
    let memory: Memory
    /// Whether it came by the same client id.
    let isSameCall: Bool

    init(row: Row) throws(PostgresError) {
        memory = try Memory(row: row)
        isSameCall = try row.decode("is_same_call")
    }
}

extension Statement<Void> {
    /// Holds who remembers something else of the person until the commit.
    static func lockMemories(of user: UUID) -> Self {
        .advisoryLock("chat.patient_memories", of: user)
    }

    static func forget(_ ids: [UUID], of user: UUID) -> Self {
        .writing("DELETE FROM chat.patient_memories WHERE user_id = \(user) AND id = ANY(\(ids))")
    }
}

extension Statement<Scalar<Int64>> {
    static func memoryCount(of user: UUID) -> Self {
        .reading("SELECT count(*) FROM chat.patient_memories WHERE user_id = \(user)")
    }
}

extension Statement<Scalar<UUID>> {
    /// No row if there is no such memory, or another took its place before.
    static func supersede(_ old: UUID, by new: UUID, at moment: Instant?, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.patient_memories
            SET superseded_by = \(new), superseded_at = coalesce(\(moment)::timestamptz, clock_timestamp())
            WHERE user_id = \(user) AND id = \(old) AND superseded_at IS NULL
            RETURNING id
            """)
    }
}

extension Statement<KnownMemory> {
    static func known(_ new: NewMemory, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(Memory.columns), client_id IS NOT DISTINCT FROM \(new.clientID.text) AS is_same_call
            FROM chat.patient_memories
            WHERE user_id = \(user) AND (client_id = \(new.clientID.text) OR
                category = \(new.category) AND content = \(new.content.text) AND \(Memory.isCurrent(at: nil)))
            ORDER BY is_same_call DESC, id LIMIT 1
            """)
    }
}

extension Statement<Memory> {
    static func insert(_ new: NewMemory, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.patient_memories (
                user_id, id, client_id, category, content, importance, metadata, source_session_id, source_message_id, expires_at,
                embedding, embedding_model
            ) VALUES (
                \(user), \(UUIDv7.make()), \(new.clientID.text), \(new.category), \(new.content.text), \(new.importance),
                \(JSONB(new.metadata.json)), \(new.sourceSession), \(new.sourceMessage), \(new.expiresAt),
                \(new.embedding?.bytes), \(new.embedding.map { _ in MemoryModel.id })
            ) RETURNING \(Memory.columns)
            """)
    }

    /// No row if it has this one already.
    static func embed(_ id: UUID, _ embedding: MemoryEmbedding, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.patient_memories SET embedding = \(embedding.bytes), embedding_model = \(MemoryModel.id)
            WHERE user_id = \(user) AND id = \(id)
                AND (embedding IS DISTINCT FROM \(embedding.bytes) OR embedding_model IS DISTINCT FROM \(MemoryModel.id))
            RETURNING \(Memory.columns)
            """)
    }

    static func memory(_ id: UUID, of user: UUID) -> Self {
        .reading("SELECT \(Memory.columns) FROM chat.patient_memories WHERE user_id = \(user) AND id = \(id)")
    }

    static func list(_ list: MemoryList, of user: UUID) -> Self {
        let ofScope: Query = if case .current(let moment) = list.scope { "AND \(Memory.isCurrent(at: moment))" } else { "" }
        let ofCategory: Query = if let category = list.category { "AND category = \(category)" } else { "" }
        let rest: Query = if let place = list.place { "AND id < \(place)" } else { "" }
        return .reading(
            """
            SELECT \(Memory.columns) FROM chat.patient_memories
            WHERE user_id = \(user) \(ofScope) \(ofCategory) \(rest) ORDER BY id DESC LIMIT \(list.limit)
            """)
    }

    /// Both ways from it: a memory has one successor and any number of predecessors.
    static func history(of id: UUID, behind place: (at: Instant, id: UUID)?, limit: Int, _ user: UUID) -> Self {
        let rest: Query = if let place { "AND (created_at, id) > (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            WITH RECURSIVE before AS (
                SELECT id FROM chat.patient_memories WHERE user_id = \(user) AND id = \(id)
                UNION
                SELECT m.id FROM before b JOIN chat.patient_memories m ON m.user_id = \(user) AND m.superseded_by = b.id
            ), after AS (
                SELECT id, superseded_by FROM chat.patient_memories WHERE user_id = \(user) AND id = \(id)
                UNION
                SELECT m.id, m.superseded_by FROM after a JOIN chat.patient_memories m ON m.user_id = \(user) AND m.id = a.superseded_by
            )
            SELECT \(Memory.columns) FROM chat.patient_memories
            WHERE user_id = \(user) AND id IN (SELECT id FROM before UNION SELECT id FROM after) \(rest)
            ORDER BY created_at, id LIMIT \(limit)
            """)
    }
}

extension Memory: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, category, content, importance, metadata, source_session_id, source_message_id, created_at, expires_at, superseded_at,
        superseded_by, embedding_model
        """

    /// Whether a row is current at a moment, or now.
    static func isCurrent(at moment: Instant?) -> Query {
        guard let moment else {
            return "superseded_at IS NULL AND (expires_at IS NULL OR expires_at > statement_timestamp())"
        }
        return """
            created_at <= \(moment) AND (superseded_at IS NULL OR superseded_at > \(moment))
            AND (expires_at IS NULL OR expires_at > \(moment))
            """
    }

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        category = try row.decode("category")
        content = try row.decode("content")
        importance = try row.decode("importance")
        metadata = MessageMetadata(kept: try row.decode("metadata", as: JSONB.self).text)
        sourceSession = try row.decode("source_session_id")
        sourceMessage = try row.decode("source_message_id")
        createdAt = try row.decode("created_at")
        expiresAt = try row.decode("expires_at")
        supersededAt = try row.decode("superseded_at")
        supersededBy = try row.decode("superseded_by")
        model = try row.decode("embedding_model")
    }
}
