internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The rows of `chat.feedback`. Every statement runs as the person whose rows it touches.
struct FeedbackRepository: Sendable {
    static let table: Query = "chat.feedback"
    let postgres: Postgres

    /// Keeps an opinion in the place of the one with its client id, if there is one.
    func give(_ new: NewFeedback, of user: UUID) async throws(PostgresError) -> Feedback {
        guard let given = try await postgres.first(.give(new, of: user), identity: .user(user)) else {
            throw PostgresError(.decoding, "Feedback that was kept could not be read.")
        }
        return given
    }

    /// The newest first; behind the one with the id `place`, if it is given.
    func list(of session: SessionID, after place: UUID?, limit: Int, of user: UUID) async throws(PostgresError) -> [Feedback] {
        try await postgres.rows(.feedback(of: session, after: place, limit: limit, of: user), identity: .user(user))
    }

    func withdraw(_ id: UUID, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.remove(id, of: user, from: Self.table), identity: .user(user))
    }
}

extension Statement<Feedback> {
    static func give(_ new: NewFeedback, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.feedback (user_id, id, client_id, session_id, message_id, kind, rating, comment, correction)
            VALUES (
                \(user), \(UUIDv7.make()), \(new.clientID.text), \(new.session.uuid), \(new.message), \(new.opinion.kind),
                \(new.opinion.rating), \(new.opinion.comment), \(new.opinion.correction)
            ) ON CONFLICT ON CONSTRAINT feedback_client_id_key DO UPDATE SET
                session_id = excluded.session_id, message_id = excluded.message_id, kind = excluded.kind, rating = excluded.rating,
                comment = excluded.comment, correction = excluded.correction
            RETURNING \(Feedback.columns)
            """)
    }

    static func feedback(of session: SessionID, after place: UUID?, limit: Int, of user: UUID) -> Self {
        let rest: Query = if let place { "AND id < \(place)" } else { "" }
        return .reading(
            """
            SELECT \(Feedback.columns) FROM chat.feedback
            WHERE user_id = \(user) AND session_id = \(session.uuid) AND client_id IS NOT NULL \(rest) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}

extension Feedback: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, session_id, message_id, kind, rating, comment, correction, client_id, created_at, updated_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        session = SessionID(try row.decode("session_id", as: UUID.self))
        message = try row.decode("message_id")
        opinion = Opinion(
            kind: try row.decode("kind"), rating: try row.decode("rating"), comment: try row.decode("comment"),
            correction: try row.decode("correction"))
        clientID = try row.decode("client_id")
        createdAt = try row.decode("created_at")
        updatedAt = try row.decode("updated_at")
    }
}
