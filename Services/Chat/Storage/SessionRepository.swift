internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The sessions in `chat.chat_sessions`. Every statement runs as the user whose rows it touches.
struct SessionRepository: Sendable {
    let postgres: Postgres

    /// The new session, or the one that the user made with this client id before, as it stands now.
    func create(
        title: SessionTitle, clientID: ClientID?, for user: UUID
    ) async throws -> (session: Session, isNew: Bool) {
        try await postgres.transaction(identity: .user(user)) { transaction in
            let made = try await transaction.first(.create(.make(), title: title, clientID: clientID, for: user))
            if let made { return (made, true) }

            // The insertion waited for whoever made the other one, so this statement sees it.
            let kept = try await transaction.first(.find(clientID: clientID, of: user))
            guard let kept else { throw PostgresError(.decoding, "A session that is there could not be read.") }
            return (kept, false)
        }
    }

    func find(_ id: SessionID, of user: UUID) async throws(PostgresError) -> Session? {
        try await postgres.first(.find(id, of: user), identity: .user(user))
    }

    /// Where a list goes on: behind this session, in the order of the list.
    struct Place: Hashable, Sendable {
        let updatedAt: Instant
        let id: SessionID
    }

    /// At most `limit` sessions behind a place, the one that was used last first: those in use, or those that were put away.
    func list(
        of user: UUID, archived: Bool = false, after place: Place?, limit: Int
    ) async throws(PostgresError) -> [Session] {
        try await postgres.rows(.list(of: user, archived: archived, after: place, limit: limit), identity: .user(user))
    }

    /// `nil` if the person has no such session.
    func rename(_ id: SessionID, to title: SessionTitle, of user: UUID) async throws(PostgresError) -> Session? {
        try await postgres.first(.rename(id, to: title, of: user), identity: .user(user))
    }

    /// Takes a session back into use, or leaves one as it is that is in use; `nil` if the person has no such session.
    func restore(_ id: SessionID, of user: UUID) async throws(PostgresError) -> Session? {
        if let restored = try await postgres.first(.restore(id, of: user), identity: .user(user)) { return restored }
        return try await find(id, of: user)
    }
}

extension Statement<Session> {
    /// No row if the person has a session with this client id.
    static func create(_ id: SessionID, title: SessionTitle, clientID: ClientID?, for user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.chat_sessions (user_id, id, title, client_id)
            VALUES (\(user), \(id.uuid), \(title.text), \(clientID?.text))
            ON CONFLICT ON CONSTRAINT chat_sessions_client_id_key DO NOTHING
            RETURNING \(Session.columns)
            """)
    }

    static func find(clientID: ClientID?, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(Session.columns) FROM chat.chat_sessions
            WHERE user_id = \(user) AND client_id = \(clientID?.text)
            """)
    }

    static func find(_ id: SessionID, of user: UUID) -> Self {
        .reading("SELECT \(Session.columns) FROM chat.chat_sessions WHERE user_id = \(user) AND id = \(id.uuid)")
    }

    static func rename(_ id: SessionID, to title: SessionTitle, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.chat_sessions SET title = \(title.text) WHERE user_id = \(user) AND id = \(id.uuid)
            RETURNING \(Session.columns)
            """)
    }

    /// No row if it was put away before: a change would say that it has just been used.
    static func putAway(_ id: SessionID, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.chat_sessions SET archived_at = clock_timestamp()
            WHERE user_id = \(user) AND id = \(id.uuid) AND archived_at IS NULL RETURNING \(Session.columns)
            """)
    }

    /// No row if it is in use.
    static func restore(_ id: SessionID, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.chat_sessions SET archived_at = NULL
            WHERE user_id = \(user) AND id = \(id.uuid) AND archived_at IS NOT NULL RETURNING \(Session.columns)
            """)
    }

    static func list(of user: UUID, archived: Bool, after place: SessionRepository.Place?, limit: Int) -> Self {
        let rest: Query =
            if let place { "AND (updated_at, id) < (\(place.updatedAt), \(place.id.uuid))" } else { "" }
        return .reading(
            """
            SELECT \(Session.columns) FROM chat.chat_sessions
            WHERE user_id = \(user) AND (archived_at IS NOT NULL) = \(archived) \(rest)
            ORDER BY updated_at DESC, id DESC
            LIMIT \(limit)
            """)
    }
}

extension Session: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, title, message_count, created_at, updated_at, archived_at"

    init(row: Row) throws(PostgresError) {
        id = SessionID(try row.decode("id", as: UUID.self))
        title = try row.decode("title", as: String.self)
        messageCount = try row.decode("message_count", as: Int64.self)
        createdAt = try row.decode("created_at", as: Instant.self)
        updatedAt = try row.decode("updated_at", as: Instant.self)
        archivedAt = try row.decode("archived_at")
    }
}
