internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A message from before there were sessions.
struct HistoryMessage: Hashable, Sendable {
    enum Role: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case user, assistant, system, tool
    }

    var id: UUID
    var sessionID: String
    var role: Role
    var content: String
    var metadata: JSONB = JSONB("{}")
    var saidAt: Instant
}

extension HistoryMessage: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, session_id, role, content, metadata, said_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        sessionID = try row.decode("session_id")
        role = try row.decode("role")
        content = try row.decode("content")
        metadata = try row.decode("metadata")
        saidAt = try row.decode("said_at")
    }
}

/// The rows of `chat.chat_history`. Every statement runs as the person whose rows it touches.
struct HistoryMessageRepository: PersonalRecords {
    static let table: Query = "chat.chat_history"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: HistoryMessage, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user))
    }

    /// Where a list goes on.
    struct Place: Hashable, Sendable {
        let conversation: String
        let saidAt: Instant
        let id: UUID
    }

    /// The messages of one conversation, or of all, in the order in which they were said in each; behind a place, if one is given. Of those that take more
    /// than an answer holds no more than the first that does not fit into it.
    func list(of conversation: String?, behind place: Place?, limit: Int, of user: UUID) async throws(PostgresError) -> [HistoryMessage] {
        try await postgres.rows(.history(of: conversation, behind: place, limit: limit, of: user), identity: .user(user))
    }
}

extension Statement<HistoryMessage> {
    static func history(of conversation: String?, behind place: HistoryMessageRepository.Place?, limit: Int, of user: UUID) -> Self {
        let one: Query = if let conversation { "AND session_id = \(conversation)" } else { "" }
        let rest: Query = if let place { "AND (session_id, said_at, id) > (\(place.conversation), \(place.saidAt), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(HistoryMessage.columns) FROM (
                SELECT \(HistoryMessage.columns),
                    sum(octet_length(content)) OVER (ORDER BY session_id, said_at, id) - octet_length(content) AS bytes_before
                FROM (
                    SELECT \(HistoryMessage.columns) FROM chat.chat_history WHERE user_id = \(user) \(one) \(rest)
                    ORDER BY session_id, said_at, id LIMIT \(limit)
                ) AS page
            ) AS measured
            WHERE bytes_before <= \(Int64(AnswerBytes.most)) ORDER BY session_id, said_at, id
            """)
    }
}

extension Statement<Void> {
    static func insert(_ record: HistoryMessage, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.chat_history (
                user_id, id, session_id, role, content, metadata, said_at
            ) VALUES (
                \(user), \(record.id), \(record.sessionID), \(record.role), \(record.content),
                \(record.metadata), \(record.saidAt)
            )
            """)
    }
}
