internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What the assistant keeps about the person from one conversation to the next.
struct PatientMemory: Hashable, Sendable {
    enum Category: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case medicalHistory = "medical_history", medication, allergy, symptom,
            lifestyle, preference, goal, family,
            other
    }

    var id: UUID
    var content: String
    var category: Category
    var importance: Numeric
    var metadata: JSONB = JSONB("{}")
    var sourceSessionID: UUID?
    var sourceMessageID: UUID?
    var accessCount: Int64 = 0
    var lastAccessedAt: Instant?
    var supersededBy: UUID?
    var expiresAt: Instant?
}

extension PatientMemory: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, content, category, importance, metadata, source_session_id, source_message_id, access_count,
        last_accessed_at, superseded_by, expires_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        content = try row.decode("content")
        category = try row.decode("category")
        importance = try row.decode("importance")
        metadata = try row.decode("metadata")
        sourceSessionID = try row.decode("source_session_id")
        sourceMessageID = try row.decode("source_message_id")
        accessCount = try row.decode("access_count")
        lastAccessedAt = try row.decode("last_accessed_at")
        supersededBy = try row.decode("superseded_by")
        expiresAt = try row.decode("expires_at")
    }
}

/// The rows of `chat.patient_memories`. Every statement runs as the person whose rows it touches.
struct PatientMemoryRepository: RemovableRecords {
    static let table: Query = "chat.patient_memories"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: PatientMemory, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: PatientMemory, of user: UUID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user)) == 1
    }

    /// Those that hold the words, as a search engine reads them, the best first.
    func search(_ words: String, of user: UUID, limit: Int) async throws(PostgresError) -> [PatientMemory] {
        try await postgres.rows(.search(words, of: user, limit: limit), identity: .user(user))
    }
}

extension Statement<Void> {
    static func insert(_ record: PatientMemory, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.patient_memories (
                user_id, id, content, category, importance, metadata, source_session_id, source_message_id,
                access_count, last_accessed_at, superseded_by, expires_at
            ) VALUES (
                \(user), \(record.id), \(record.content), \(record.category), \(record.importance),
                \(record.metadata), \(record.sourceSessionID), \(record.sourceMessageID), \(record.accessCount),
                \(record.lastAccessedAt), \(record.supersededBy), \(record.expiresAt)
            )
            """)
    }

    static func replace(_ record: PatientMemory, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.patient_memories SET
                content = \(record.content), category = \(record.category), importance = \(record.importance),
                metadata = \(record.metadata), source_session_id = \(record.sourceSessionID),
                source_message_id = \(record.sourceMessageID), access_count = \(record.accessCount),
                last_accessed_at = \(record.lastAccessedAt), superseded_by = \(record.supersededBy),
                expires_at = \(record.expiresAt)
            WHERE user_id = \(user) AND id = \(record.id)
            """)
    }
}

extension Statement<PatientMemory> {
    static func search(_ words: String, of user: UUID, limit: Int) -> Self {
        .reading(
            """
            SELECT \(PatientMemory.columns) FROM chat.patient_memories, websearch_to_tsquery('english', \(words)) AS query
            WHERE user_id = \(user) AND search @@ query AND superseded_by IS NULL
            ORDER BY ts_rank(search, query) DESC, importance DESC, id DESC LIMIT \(limit)
            """)
    }
}
