internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The rows of `chat.message_drafts` and `chat.message_draft_pieces`. Every statement runs as the person whose rows it touches.
struct DraftRepository: Sendable {
    let postgres: Postgres
    let messages: MessageRepository

    /// How many a session may have.
    static let mostKept = 10
    /// What nobody goes on with for so long is not listed any more, and removed when the person begins another.
    static let life = Duration.seconds(7 * 86_400)

    init(postgres: Postgres) {
        self.postgres = postgres
        messages = MessageRepository(postgres: postgres)
    }

    /// Begins a message, or tells how far it has come.
    ///
    /// - Throws: `ChatError.sessionNotFound`, `.tooManyDrafts`.
    func begin(_ new: NewDraft, of user: UUID) async throws -> DraftProgress {
        try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            guard try await transaction.first(.lock(new.session, of: user)) != nil else { throw ChatError.sessionNotFound(new.session) }
            if let message = try await messages.known([new.clientID], in: new.session, of: user, transaction).first {
                return .message(message)
            }
            let (_, kept, count) = try await transaction.batch(
                .removeDrafts(unusedFor: Self.life, of: user), .draftLength(new.clientID, in: new.session, of: user),
                .draftCount(in: new.session, of: user))
            if let length = try kept.first()?.value { return .kept(Int(length)) }
            guard try count.first()?.value ?? 0 < Self.mostKept else { throw ChatError.tooManyDrafts }
            try await transaction.execute(.begin(new, of: user))
            return .kept(0)
        }
    }

    /// Keeps the next piece.
    ///
    /// - Throws: `ChatError.draftContested` if somebody else has gone on with it, ended or discarded it.
    func add(_ text: String, at offset: Int, to draft: NewDraft, of user: UUID) async throws {
        let added = try await postgres.first(.add(text, at: offset, to: draft, of: user), identity: .user(user))
        guard added != nil else { throw ChatError.draftContested }
    }

    /// Makes it a message, in one transaction.
    ///
    /// - Throws: `ChatError.draftContested`, `.draftIncomplete`, INVALID_ARGUMENT for a message that has no or too many characters.
    func end(_ draft: NewDraft, length: Int, of user: UUID) async throws -> ChatMessage {
        try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            guard try await transaction.first(.lock(draft.session, of: user)) != nil else { throw ChatError.sessionNotFound(draft.session) }
            if let message = try await messages.known([draft.clientID], in: draft.session, of: user, transaction).first { return message }
            guard let kept = try await transaction.first(.draft(draft.clientID, in: draft.session, of: user)) else {
                throw ChatError.draftContested
            }
            guard kept.content.utf8.count == length else { throw ChatError.draftIncomplete(kept: kept.content.utf8.count) }
            var violations = FieldViolations()
            let content = violations.value("piece.text", kept.content, MessageContent.init(_:))
            let new = NewMessage(
                clientID: draft.clientID, speaker: kept.speaker, content: try violations.complete(content), metadata: kept.metadata)
            let appended = try await messages.append([new], to: draft.session, of: user, transaction)
            guard let message = appended.messages.first else { throw PostgresError(.decoding, "A message that was added could not be read.") }
            return message
        }
    }

    /// The newest first; `nil` if the person has no such session.
    func list(of session: SessionID, _ user: UUID) async throws(PostgresError) -> [Draft]? {
        let (count, drafts) = try await postgres.batch(
            .messageCount(of: session, user), .drafts(of: session, user), identity: .user(user))
        return try count.first() == nil ? nil : try drafts.rows()
    }

    func discard(_ clientID: ClientID, in session: SessionID, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.discard([clientID], in: session, of: user), identity: .user(user))
    }
}

extension Statement<Void> {
    static func removeDrafts(unusedFor life: Duration, of user: UUID) -> Self {
        .writing(
            """
            DELETE FROM chat.message_drafts
            WHERE user_id = \(user) AND updated_at < clock_timestamp() - make_interval(secs => \(life / .seconds(1)))
            """)
    }

    static func begin(_ new: NewDraft, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.message_drafts (user_id, session_id, client_id, role, metadata)
            VALUES (\(user), \(new.session.uuid), \(new.clientID.text), \(new.speaker.rawValue), \(JSONB(new.metadata.json)))
            """)
    }

    static func discard(_ clientIDs: [ClientID], in session: SessionID, of user: UUID) -> Self {
        .writing(
            "DELETE FROM chat.message_drafts WHERE user_id = \(user) AND session_id = \(session.uuid) AND client_id = ANY(\(clientIDs.map(\.text)))")
    }
}

extension Statement<Scalar<Int64>> {
    static func draftLength(_ clientID: ClientID, in session: SessionID, of user: UUID) -> Self {
        .reading(
            """
            SELECT length FROM chat.message_drafts
            WHERE user_id = \(user) AND session_id = \(session.uuid) AND client_id = \(clientID.text)
            """)
    }

    static func draftCount(in session: SessionID, of user: UUID) -> Self {
        .reading("SELECT count(*) FROM chat.message_drafts WHERE user_id = \(user) AND session_id = \(session.uuid)")
    }

    /// No row if the draft does not end where the piece begins.
    static func add(_ text: String, at offset: Int, to draft: NewDraft, of user: UUID) -> Self {
        .writing(
            """
            WITH counted AS (
                UPDATE chat.message_drafts SET length = length + \(Int64(text.utf8.count))
                WHERE user_id = \(user) AND session_id = \(draft.session.uuid) AND client_id = \(draft.clientID.text)
                    AND length = \(Int64(offset))
                RETURNING user_id, session_id, client_id
            )
            INSERT INTO chat.message_draft_pieces (user_id, session_id, client_id, byte_offset, content)
            SELECT user_id, session_id, client_id, \(Int64(offset)), \(text) FROM counted
            RETURNING byte_offset
            """)
    }
}

extension Statement<Draft> {
    static func draft(_ clientID: ClientID, in session: SessionID, of user: UUID) -> Self {
        .reading("SELECT \(Draft.columns) WHERE \(Draft.isOf(session, user)) AND d.client_id = \(clientID.text)")
    }

    static func drafts(of session: SessionID, _ user: UUID) -> Self {
        .reading(
            """
            SELECT \(Draft.columns) WHERE \(Draft.isOf(session, user))
                AND d.updated_at >= clock_timestamp() - make_interval(secs => \(DraftRepository.life / .seconds(1)))
            ORDER BY d.updated_at DESC, d.client_id
            """)
    }
}

extension Draft: RowDecodable {
    /// What the initialiser reads, and where from.
    static let columns: Query = """
        d.session_id, d.client_id, d.role, d.metadata, d.created_at, d.updated_at, coalesce((
            SELECT string_agg(p.content, '' ORDER BY p.byte_offset) FROM chat.message_draft_pieces p
            WHERE p.user_id = d.user_id AND p.session_id = d.session_id AND p.client_id = d.client_id
        ), '') AS content
        FROM chat.message_drafts d
        """

    static func isOf(_ session: SessionID, _ user: UUID) -> Query { "d.user_id = \(user) AND d.session_id = \(session.uuid)" }

    init(row: Row) throws(PostgresError) {
        session = SessionID(try row.decode("session_id", as: UUID.self))
        clientID = try row.decode("client_id")
        speaker = try Speaker(kept: try row.decode("role"))
        metadata = MessageMetadata(kept: try row.decode("metadata", as: JSONB.self).text)
        content = try row.decode("content")
        createdAt = try row.decode("created_at")
        updatedAt = try row.decode("updated_at")
    }
}
