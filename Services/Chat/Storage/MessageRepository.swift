internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The messages in `chat.chat_messages`. Every statement runs as the user whose rows it touches.
struct MessageRepository: Sendable {
    let postgres: Postgres

    /// A page ends early rather than hold more than this.
    static let maxPageBytes = Int64(AnswerBytes.most)
    /// How many bytes of an answer metadata take for each of their text at most: each number of "[0, 0]" takes 11.
    fileprivate static let metadataFactor = 4

    /// What an append left: the messages in the order in which they were given, and how many were there already.
    struct Appended: Hashable, Sendable {
        let messages: [ChatMessage]
        let duplicateCount: Int
    }

    /// Adds messages to the end of a session, all or none. Those whose client id the session has already are returned
    /// as they were kept. The client ids of `messages` differ from each other. A draft with one of them is no more: the session has the message.
    ///
    /// The lock on the session's row puts concurrent appends in an order, and `message_count` under it is the sequence
    /// of the last message; so sequences have no gaps, whatever fails.
    func append(_ messages: [NewMessage], to session: SessionID, of user: UUID) async throws -> Appended {
        // Nearly always none of them is there yet: then all is said in one round trip.
        if let appended = try await appendFresh(messages, to: session, of: user) { return appended }
        return try await postgres.transaction(identity: .user(user), tier: .normal) { transaction in
            try await append(messages, to: session, of: user, transaction)
        }
    }

    /// Adds messages of which none is there already. `nil`, and nothing is added, if one is or may be.
    private func appendFresh(_ messages: [NewMessage], to session: SessionID, of user: UUID) async throws -> Appended? {
        do {
            let (locked, added) = try await postgres.batch(
                .lock(session, of: user), .appendFresh(messages, to: session, of: user), identity: .user(user))
            guard try locked.first() != nil else { throw ChatError.sessionNotFound(session) }
            let rows = try added.rows()
            return rows.isEmpty ? nil : Appended(messages: rows, duplicateCount: 0)
        } catch let error as PostgresError where error.code == .uniqueViolation {
            return nil
        }
    }

    /// The same as a part of a transaction.
    func append(
        _ messages: [NewMessage], to session: SessionID, of user: UUID, _ transaction: Transaction
    ) async throws -> Appended {
        let locked = try await transaction.first(.lock(session, of: user))
        guard let locked else { throw ChatError.sessionNotFound(session) }

        let kept = try await known(messages.map(\.clientID), in: session, of: user, transaction)
        let known = Set(kept.map { ExactText($0.clientID) })
        let fresh = messages.filter { !known.contains(ExactText($0.clientID.text)) }

        var added: [ChatMessage] = []
        if !fresh.isEmpty {
            added = try await transaction.rows(.append(fresh, behind: locked.value, in: session, of: user))
            try await transaction.execute(.count(fresh.count, moreIn: session, of: user))
        }
        try await transaction.execute(.discard(messages.map(\.clientID), in: session, of: user))

        let byClientID = Dictionary(uniqueKeysWithValues: (kept + added).map { (ExactText($0.clientID), $0) })
        return Appended(messages: messages.compactMap { byClientID[ExactText($0.clientID.text)] }, duplicateCount: kept.count)
    }

    /// The messages of a session, whose row is locked, that came with one of these client ids.
    func known(
        _ clientIDs: [ClientID], in session: SessionID, of user: UUID, _ transaction: Transaction
    ) async throws -> [ChatMessage] {
        // Statements of their own: only those that begin after the lock see what its last holder committed.
        let (found, isArchived) = try await transaction.batch(
            .find(clientIDs, in: session, of: user), .isArchived(session, of: user))
        let kept = try found.rows()
        guard kept.count < clientIDs.count, try isArchived.first()?.value == true,
            let archive = try await transaction.first(.archive(of: session, user))
        else { return kept }
        let given = Set(clientIDs.map { ExactText($0.text) })
        return kept + (try ArchivedMessages.messages(in: archive.checked()).filter { given.contains(ExactText($0.clientID)) })
    }

    /// The message with this id, from the table or from the session's archive.
    ///
    /// - Throws: `ChatError.sessionNotFound` and `.messageNotFound`, `.archiveDamaged`.
    func find(_ id: UUID, in session: SessionID, of user: UUID) async throws -> ChatMessage {
        let (count, found, isArchived) = try await postgres.batch(
            .messageCount(of: session, user), Statement<ChatMessage>.message(id, in: session, of: user),
            .isArchived(session, of: user), identity: .user(user))
        guard try count.first() != nil else { throw ChatError.sessionNotFound(session) }
        if let message = try found.first() { return message }
        if try isArchived.first()?.value == true,
            let archive = try await SessionArchiveRepository(postgres: postgres).find(session.uuid, of: user),
            let message = try ArchivedMessages.messages(in: archive).first(where: { $0.id == id })
        {
            return message
        }
        throw ChatError.messageNotFound
    }

    /// As many as `page` gives.
    private static func page(_ messages: [ChatMessage], _ limit: Int) -> [ChatMessage] {
        var bytes: Int64 = 0
        return messages.prefix(limit).enumerated().prefix { place, message in
            bytes += Int64(message.content.utf8.count + metadataFactor * message.metadata.json.utf8.count)
            return bytes <= maxPageBytes || place == 0
        }.map(\.element)
    }

    /// A part of a session's messages, and whether there were more behind it.
    struct Page: Hashable, Sendable {
        let messages: [ChatMessage]
        let hasMore: Bool
    }

    /// At most `limit` messages behind a sequence and no further than another, in their order; fewer when they would be larger than
    /// `maxPageBytes`, but always one if there is one. `nil` if the user has no such session.
    ///
    /// What is not in the table is in the session's archive, which is unpacked as a whole. Throws `ChatError.archiveDamaged`.
    func page(
        of session: SessionID, of user: UUID, after sequence: Int64, upTo last: Int64 = .max, limit: Int
    ) async throws -> Page? {
        let (count, page) = try await postgres.batch(
            .messageCount(of: session, user),
            .page(of: session, user, after: sequence, upTo: last, limit: limit, maxBytes: Self.maxPageBytes), identity: .user(user))
        guard let end = try count.first().map({ min($0.value, last) }) else { return nil }
        var messages = try page.rows()
        // Sequences have no gaps.
        if sequence < end, messages.first?.sequence != sequence + 1 {
            let archive = try await SessionArchiveRepository(postgres: postgres).find(session.uuid, of: user)
            guard let archive else { throw ChatError.archiveDamaged }
            // Of the archive no more than a page has.
            let wanted = sequence + 1...min(end, sequence + Int64(limit))
            messages = Self.page(try ArchivedMessages.messages(in: archive, wanted) + messages, limit)
        }
        return Page(messages: messages, hasMore: messages.last.map { $0.sequence < end } ?? false)
    }

    /// At most `limit` messages before a sequence, from the last of them back; otherwise as `page(of:of:after:)`. A page that has others ends where a
    /// damaged archive begins.
    func page(of session: SessionID, of user: UUID, before sequence: Int64, limit: Int) async throws -> Page? {
        let (count, page) = try await postgres.batch(
            .messageCount(of: session, user),
            .page(of: session, user, before: sequence, limit: limit, maxBytes: Self.maxPageBytes), identity: .user(user))
        guard let count = try count.first()?.value else { return nil }
        var messages = try page.rows()
        let next = min(count, (messages.last?.sequence ?? sequence) - 1)
        if next > 0, messages.count < limit {
            do {
                let archived = try await archived(of: session, user, backFrom: next, limit: limit - messages.count)
                messages = Self.page(messages + archived, limit)
            } catch ChatError.archiveDamaged where !messages.isEmpty {
                // The next is in the table and was too large for this page, or its own page says what is wrong with it.
            }
        }
        return Page(messages: messages, hasMore: messages.last.map { $0.sequence > 1 } ?? false)
    }

    /// At most `limit` messages of a session's archive, from one of them back. Throws `ChatError.archiveDamaged` if it does not have that one.
    private func archived(
        of session: SessionID, _ user: UUID, backFrom last: Int64, limit: Int
    ) async throws -> [ChatMessage] {
        let archive = try await SessionArchiveRepository(postgres: postgres).find(session.uuid, of: user)
        guard let archive, last <= archive.messageCount else { throw ChatError.archiveDamaged }
        return try ArchivedMessages.messages(in: archive, max(1, last - Int64(limit) + 1)...last).reversed()
    }
}

extension Statement<Scalar<Int64>> {
    /// The number of a session's messages, whose row is locked until the commit.
    static func lock(_ session: SessionID, of user: UUID) -> Self {
        .writing(
            """
            SELECT message_count FROM chat.chat_sessions
            WHERE user_id = \(user) AND id = \(session.uuid) FOR UPDATE
            """)
    }

    static func messageCount(of session: SessionID, _ user: UUID) -> Self {
        .reading("SELECT message_count FROM chat.chat_sessions WHERE user_id = \(user) AND id = \(session.uuid)")
    }
}

extension Statement<SessionArchiveRepository.CheckedArchive> {
    /// The archive of a session whose row is locked.
    static func archive(of session: SessionID, _ user: UUID) -> Self { .find(session.uuid, of: user) }
}

extension Statement<ChatMessage> {
    static func find(_ clientIDs: [ClientID], in session: SessionID, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(ChatMessage.columns) FROM chat.chat_messages
            WHERE user_id = \(user) AND session_id = \(session.uuid)
                AND client_id = ANY(\(clientIDs.map(\.text)))
            """)
    }

    static func message(_ id: UUID, in session: SessionID, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(ChatMessage.columns) FROM chat.chat_messages
            WHERE user_id = \(user) AND session_id = \(session.uuid) AND id = \(id)
            """)
    }

    static func append(_ messages: [NewMessage], behind last: Int64, in session: SessionID, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.chat_messages (user_id, session_id, id, sequence, role, content, metadata, client_id)
            SELECT \(user), \(session.uuid), new.id, new.sequence, new.role, new.content, new.metadata, new.client_id
            FROM unnest(
                \(messages.map { _ in UUIDv7.make() }), \(messages.indices.map { last + 1 + Int64($0) }),
                \(messages.map(\.speaker.rawValue)), \(messages.map(\.content.text)),
                \(messages.map { JSONB($0.metadata.json) }), \(messages.map(\.clientID.text))
            ) AS new (id, sequence, role, content, metadata, client_id)
            RETURNING \(ChatMessage.columns)
            """)
    }

    /// Adds messages to a session whose row is locked, and counts them. Fails with `.uniqueViolation` if a client id is there; adds nothing if the
    /// session has an archive, which may have it. Drafts with their client ids go. Answers them in their order.
    static func appendFresh(_ messages: [NewMessage], to session: SessionID, of user: UUID) -> Self {
        .writing(
            """
            WITH counted AS (
                UPDATE chat.chat_sessions SET message_count = message_count + \(messages.count), archived_at = NULL
                WHERE user_id = \(user) AND id = \(session.uuid)
                  AND NOT EXISTS (SELECT FROM chat.session_archives WHERE user_id = \(user) AND session_id = \(session.uuid))
                RETURNING message_count - \(messages.count) AS last
            ), added AS (
                INSERT INTO chat.chat_messages (user_id, session_id, id, sequence, role, content, metadata, client_id)
                SELECT \(user), \(session.uuid), new.id, counted.last + new.place, new.role, new.content, new.metadata, new.client_id
                FROM counted, unnest(
                    \(messages.map { _ in UUIDv7.make() }), \(messages.map(\.speaker.rawValue)), \(messages.map(\.content.text)),
                    \(messages.map { JSONB($0.metadata.json) }), \(messages.map(\.clientID.text))
                ) WITH ORDINALITY AS new (id, role, content, metadata, client_id, place)
                RETURNING \(ChatMessage.columns)
            ), discarded AS (
                DELETE FROM chat.message_drafts USING counted
                WHERE user_id = \(user) AND session_id = \(session.uuid) AND client_id = ANY(\(messages.map(\.clientID.text)))
            )
            SELECT \(ChatMessage.columns) FROM added ORDER BY sequence
            """)
    }

    /// The first of them even if it is larger than `maxBytes`.
    static func page(
        of session: SessionID, _ user: UUID, after sequence: Int64, upTo last: Int64 = .max, limit: Int, maxBytes: Int64
    ) -> Self {
        page(of: session, user, "sequence > \(sequence) AND sequence <= \(last)", order: "sequence", limit, maxBytes)
    }

    /// From the last back; the last even if it is larger than `maxBytes`.
    static func page(of session: SessionID, _ user: UUID, before sequence: Int64, limit: Int, maxBytes: Int64) -> Self {
        page(of: session, user, "sequence < \(sequence)", order: "sequence DESC", limit, maxBytes)
    }

    private static func page(
        of session: SessionID, _ user: UUID, _ range: Query, order: Query, _ limit: Int, _ maxBytes: Int64
    ) -> Self {
        .reading(
            """
            SELECT \(ChatMessage.columns) FROM (
                SELECT \(ChatMessage.columns),
                    sum(octet_length(content) + \(MessageRepository.metadataFactor) * octet_length(metadata::text)) OVER (ORDER BY \(order)) AS bytes_so_far,
                    row_number() OVER (ORDER BY \(order)) AS place
                FROM (
                    SELECT \(ChatMessage.columns) FROM chat.chat_messages
                    WHERE user_id = \(user) AND session_id = \(session.uuid) AND \(range)
                    ORDER BY \(order) LIMIT \(limit)
                ) AS page
            ) AS measured
            WHERE bytes_so_far <= \(maxBytes) OR place = 1
            ORDER BY \(order)
            """,
            tier: .normal)
    }
}

extension Statement<Void> {
    static func count(_ messages: Int, moreIn session: SessionID, of user: UUID) -> Self {
        .writing(
            """
            UPDATE chat.chat_sessions SET message_count = message_count + \(messages), archived_at = NULL
            WHERE user_id = \(user) AND id = \(session.uuid)
            """)
    }
}

extension ChatMessage: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, session_id, sequence, role, content, metadata, client_id, created_at"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id", as: UUID.self)
        sessionID = SessionID(try row.decode("session_id", as: UUID.self))
        sequence = try row.decode("sequence", as: Int64.self)
        speaker = try Speaker(kept: try row.decode("role"))
        content = try row.decode("content", as: String.self)
        metadata = MessageMetadata(kept: try row.decode("metadata", as: JSONB.self).text)
        clientID = try row.decode("client_id", as: String.self)
        createdAt = try row.decode("created_at", as: Instant.self)
    }
}

extension Speaker {
    /// What the table holds.
    init(kept role: String) throws(PostgresError) {
        guard let speaker = Speaker(rawValue: role) else {
            throw PostgresError(.decoding, "Column “role” holds a value that this program does not know.")
        }
        self = speaker
    }
}
