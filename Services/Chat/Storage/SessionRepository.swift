internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The sessions in `chat.chat_sessions`. Every statement runs as the user whose rows it touches.
struct SessionRepository: Sendable {
    let postgres: Postgres

    private static let columns: Query = "id, title, message_count, created_at, updated_at"

    /// The new session, or the one that the user made with this client id before, as it stands now.
    func create(
        title: SessionTitle, clientID: ClientID?, for user: UUID
    ) async throws -> (session: Session, isNew: Bool) {
        try await postgres.transaction(identity: .user(user)) { transaction in
            let made = try await transaction.first(
                """
                INSERT INTO chat.chat_sessions (user_id, id, title, client_id)
                VALUES (\(user), \(SessionID.make().uuid), \(title.text), \(clientID?.text))
                ON CONFLICT ON CONSTRAINT chat_sessions_client_id_key DO NOTHING
                RETURNING \(Self.columns)
                """, as: Session.self)
            if let made { return (made, true) }

            // The insertion waited for whoever made the other one, so this statement sees it.
            let kept = try await transaction.first(
                """
                SELECT \(Self.columns) FROM chat.chat_sessions
                WHERE user_id = \(user) AND client_id = \(clientID?.text)
                """, as: Session.self)
            guard let kept else { throw PostgresError(.decoding, "A session that is there could not be read.") }
            return (kept, false)
        }
    }

    func find(_ id: SessionID, of user: UUID) async throws(PostgresError) -> Session? {
        try await postgres.first(
            "SELECT \(Self.columns) FROM chat.chat_sessions WHERE user_id = \(user) AND id = \(id.uuid)",
            as: Session.self, identity: .user(user), mode: .readOnly)
    }

    /// Where a list goes on: behind this session, in the order of the list.
    struct Place: Hashable, Sendable {
        let updatedAt: Instant
        let id: SessionID
    }

    /// At most `limit` sessions behind a place, the one that was used last first.
    func list(of user: UUID, after place: Place?, limit: Int) async throws(PostgresError) -> [Session] {
        let rest: Query =
            if let place { "AND (updated_at, id) < (\(place.updatedAt), \(place.id.uuid))" } else { "" }
        return try await postgres.rows(
            """
            SELECT \(Self.columns) FROM chat.chat_sessions
            WHERE user_id = \(user) \(rest)
            ORDER BY updated_at DESC, id DESC
            LIMIT \(limit)
            """, as: Session.self, identity: .user(user), mode: .readOnly)
    }
}

extension Session: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = SessionID(try row.decode("id", as: UUID.self))
        title = try row.decode("title", as: String.self)
        messageCount = try row.decode("message_count", as: Int64.self)
        createdAt = try row.decode("created_at", as: Instant.self)
        updatedAt = try row.decode("updated_at", as: Instant.self)
    }
}
