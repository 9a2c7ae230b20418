internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What the person thought of an answer.
struct Feedback: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case thumbs, rating, correction, report
    }

    var id: UUID
    var sessionID: UUID?
    var messageID: UUID?
    var kind: Kind
    var rating: Int16?
    var comment: String?
    var correction: String?
    var metadata: JSONB = JSONB("{}")
}

extension Feedback: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, session_id, message_id, kind, rating, comment, correction, metadata
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        sessionID = try row.decode("session_id")
        messageID = try row.decode("message_id")
        kind = try row.decode("kind")
        rating = try row.decode("rating")
        comment = try row.decode("comment")
        correction = try row.decode("correction")
        metadata = try row.decode("metadata")
    }
}

/// The rows of `chat.feedback`. Every statement runs as the person whose rows it touches.
struct FeedbackRepository: RemovableRecords {
    static let table: Query = "chat.feedback"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: Feedback, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: Feedback, of user: UUID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: Feedback, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.feedback (
                user_id, id, session_id, message_id, kind, rating, comment, correction, metadata
            ) VALUES (
                \(user), \(record.id), \(record.sessionID), \(record.messageID), \(record.kind),
                \(record.rating), \(record.comment), \(record.correction), \(record.metadata)
            )
            """)
    }

    static func replace(_ record: Feedback, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.feedback SET
                session_id = \(record.sessionID), message_id = \(record.messageID), kind = \(record.kind),
                rating = \(record.rating), comment = \(record.comment), correction = \(record.correction),
                metadata = \(record.metadata)
            WHERE user_id = \(user) AND id = \(record.id)
            """)
    }
}
