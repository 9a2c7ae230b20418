internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// Moves the messages of sessions that nobody has used for long into archives, where they are read as before.
///
/// Once a day a job looks for such sessions and has a job for each. That one works under the lock that appending takes, in one transaction: a
/// session that is used before it is left alone, and a message that comes behind it stands behind the archive.
struct SessionArchiver: Sendable {
    struct Settings: Sendable, Equatable {
        /// A session that nobody has used for so long is archived; zero: none.
        var idle: Duration = .zero
        /// How long an archive says that it is to be kept.
        var retentionYears = 10
    }

    struct Subject: Codable, Hashable, Sendable {
        let session: UUID
        let user: UUID
    }

    let postgres: Postgres
    let outbox: Outbox
    let settings: Settings
    let logger: Logger
    /// How many sessions one look finds.
    var batch = 1_000
    /// Of a session's messages, before they are read to the end: an archive takes no more.
    var mostBytes = ArchivedMessages.maxBytes

    init(postgres: Postgres, settings: Settings, logger: Logger) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "chat.outbox")
        self.settings = settings
        self.logger = logger
    }

    private static let look = Job<Int?>("archive_sessions", retries: .once, resultLife: nil)
    private static let archiving = Job<Subject>(
        "archive_session", priority: .low, timeout: TimeoutTier.slow.limit, resultLife: nil, uniqueKey: { $0.session.text })

    var cron: [CronEntry] {
        settings.idle > .zero ? [CronEntry("archive_sessions", .daily(hour: 4), Self.look, catchUp: .once) { _ in nil }] : []
    }

    var handlers: [JobHandler] {
        [
            JobHandler(Self.look) { _, _ in
                let count = try await findIdle()
                if count > 0 { logger.info("sessions are to be archived", metadata: ["sessions": "\(count)"]) }
            },
            JobHandler(Self.archiving) { subject, run in
                _ = try await run.commit(identity: .user(subject.user), tier: .slow) { transaction in
                    try await archive(SessionID(subject.session), of: subject.user, transaction)
                }
            },
        ]
    }

    /// Has a job for each session that is to be archived. How many there were.
    func findIdle() async throws -> Int {
        guard settings.idle > .zero else { return 0 }
        let moment = Instant.now() - settings.idle
        var count = 0
        var last: IdleSession?
        while true {
            let place = last
            let found = try await postgres.transaction(tier: .normal) { transaction in
                let found = try await transaction.rows(.idleSessions(since: moment, behind: place, limit: batch))
                for session in found {
                    let subject = Subject(session: session.id.uuid, user: session.user)
                    try await outbox.add(OutboxEvent(Self.archiving, subject, about: session.id.uuid), in: transaction)
                }
                return found
            }
            count += found.count
            last = found.last
            if found.count < batch { return count }
        }
    }

    /// Archives a session unless it has been used meanwhile, is archived, or has more than an archive takes. Whether it did.
    @discardableResult
    func archive(_ session: SessionID, of user: UUID, _ transaction: Transaction) async throws -> Bool {
        guard let idle = try await transaction.first(.lockIdle(session, of: user, since: .now() - settings.idle)) else { return false }
        do {
            return try await move(session, idle, of: user, because: .age, transaction)
        } catch ChatError.sessionTooLarge {
            logger.warning("a session is too large for an archive", metadata: ["messages": "\(idle.messageCount)"])
            return false
        }
    }

    /// Puts a session away because its person wants it. One that was put away before stays as it is.
    ///
    /// - Throws: `ChatError.sessionNotFound`, `.sessionTooLarge`, `.archiveDamaged`.
    func putAway(_ session: SessionID, of user: UUID) async throws -> Session {
        try await postgres.transaction(identity: .user(user), tier: .slow) { transaction in
            guard let locked = try await transaction.first(.lockAny(session, of: user)) else { throw ChatError.sessionNotFound(session) }
            if locked.messageCount > 0 { try await move(session, locked, of: user, because: .request, transaction) }
            if let archived = try await transaction.first(.putAway(session, of: user)) { return archived }
            guard let archived = try await transaction.first(Statement<Session>.find(session, of: user)) else { throw ChatError.sessionNotFound(session) }
            return archived
        }
    }

    /// Moves the messages of a session whose row is locked into an archive, unless it has one. Whether it did.
    @discardableResult
    private func move(
        _ session: SessionID, _ locked: LockedSession, of user: UUID, because reason: SessionArchive.Reason, _ transaction: Transaction
    ) async throws -> Bool {
        // A statement of its own: only one that begins after the lock sees what its last holder committed.
        guard try await transaction.first(.isArchived(session, of: user))?.value == false else { return false }
        var messages: [ChatMessage] = []
        var bytes = 0
        while Int64(messages.count) < locked.messageCount {
            let part = try await transaction.rows(
                .page(of: session, user, after: Int64(messages.count), limit: 500, maxBytes: MessageRepository.maxPageBytes))
            guard !part.isEmpty else { throw ChatError.archiveDamaged }
            messages += part
            bytes += part.reduce(0) { $0 + $1.content.utf8.count + $1.metadata.json.utf8.count }
            guard bytes <= mostBytes else { throw ChatError.sessionTooLarge }
        }
        let archive = try ArchivedMessages.archive(messages, of: session, title: locked.title, because: reason, retainUntil: retainUntil)
        guard let archive else { throw ChatError.sessionTooLarge }
        try await transaction.execute(.lockArchives(of: user))
        try await transaction.execute(.append(archive, of: user))
        let removed = try await transaction.first(.removeArchivedMessages(of: session))?.value
        guard removed == archive.messageCount else { throw ChatError.archiveDamaged }
        return true
    }

    private var retainUntil: CivilDate {
        // 365.25 days a year: nobody counts on the day.
        let days = Instant.now().microsecondsSinceEpoch / 86_400_000_000 + Int64(settings.retentionYears) * 1_461 / 4
        return CivilDate(daysSinceEpoch: days)
    }
}

/// A session that nobody has used for long.
struct IdleSession: RowDecodable {
    let user: UUID
    let id: SessionID
    /// Since when it has been used, which is the order of a look.
    let usedAt: Instant

    init(row: Row) throws(PostgresError) {
        user = try row.decode("user_id")
        id = SessionID(try row.decode("id", as: UUID.self))
        usedAt = try row.decode("used_at")
    }
}

/// A session that is about to be archived, its row locked.
struct LockedSession: RowDecodable {
    let title: String
    let messageCount: Int64

    init(row: Row) throws(PostgresError) {
        title = try row.decode("title")
        messageCount = try row.decode("message_count")
    }
}

extension Statement<IdleSession> {
    static func idleSessions(since moment: Instant, behind last: IdleSession?, limit: Int) -> Self {
        .reading(
            """
            SELECT user_id, id, used_at
            FROM chat.sessions_unused_since(\(moment), \(last?.usedAt)::timestamptz, \(last?.id.uuid)::uuid, \(Int32(limit)))
            """,
            tier: .normal)
    }
}

extension Statement<LockedSession> {
    static func lockIdle(_ session: SessionID, of user: UUID, since moment: Instant) -> Self {
        .writing(
            """
            SELECT title, message_count FROM chat.chat_sessions
            WHERE user_id = \(user) AND id = \(session.uuid) AND updated_at < \(moment) AND message_count > 0 FOR UPDATE
            """)
    }

    static func lockAny(_ session: SessionID, of user: UUID) -> Self {
        .writing(
            "SELECT title, message_count FROM chat.chat_sessions WHERE user_id = \(user) AND id = \(session.uuid) FOR UPDATE")
    }
}

extension Statement<Scalar<Bool>> {
    static func isArchived(_ session: SessionID, of user: UUID) -> Self {
        .reading("SELECT EXISTS (SELECT FROM chat.session_archives WHERE user_id = \(user) AND session_id = \(session.uuid))")
    }
}

extension Statement<Scalar<Int64>> {
    /// How many there were.
    static func removeArchivedMessages(of session: SessionID) -> Self {
        .writing("SELECT chat.remove_archived_messages(\(session.uuid)) AS removed", tier: .slow)
    }
}
