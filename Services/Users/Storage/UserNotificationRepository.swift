internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A message to the person, sent or waiting to be sent.
struct UserNotification: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case healthAlert = "health_alert", appointmentReminder = "appointment_reminder", medicationReminder = "medication_reminder", goal,
            message, security, system
    }

    enum Channel: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case push, email, sms, inApp = "in_app"
    }

    enum Priority: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case low, normal, high, critical
    }

    enum Status: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case pending, sent, delivered, failed, cancelled
    }

    var id: UUID
    var kind: Kind
    var channel: Channel
    var priority: Priority = .normal
    var title: String
    var body: String = ""
    var payload: JSONB = JSONB("{}")
    var status: Status = .pending
    var dedupeKey: String?
    var attempts: Int32 = 0
    var lastError: String?
    var scheduledAt: Instant
    var sentAt: Instant?
    var readAt: Instant?
    var expiresAt: Instant?
}

extension UserNotification: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, kind, channel, priority, title, body, payload, status, dedupe_key, attempts, last_error,
        scheduled_at, sent_at, read_at, expires_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        kind = try row.decode("kind")
        channel = try row.decode("channel")
        priority = try row.decode("priority")
        title = try row.decode("title")
        body = try row.decode("body")
        payload = try row.decode("payload")
        status = try row.decode("status")
        dedupeKey = try row.decode("dedupe_key")
        attempts = try row.decode("attempts")
        lastError = try row.decode("last_error")
        scheduledAt = try row.decode("scheduled_at")
        sentAt = try row.decode("sent_at")
        readAt = try row.decode("read_at")
        expiresAt = try row.decode("expires_at")
    }
}

/// The rows of `users.notifications`. Every statement runs as the person whose rows it touches.
struct UserNotificationRepository: PersonalRecords {
    static let table: Query = "users.notifications"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: UserNotification, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: UserNotification, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: UserNotification, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.notifications (
                user_id, id, kind, channel, priority, title, body, payload, status, dedupe_key, attempts,
                last_error, scheduled_at, sent_at, read_at, expires_at
            ) VALUES (
                \(user.uuid), \(record.id), \(record.kind), \(record.channel), \(record.priority),
                \(record.title), \(record.body), \(record.payload), \(record.status), \(record.dedupeKey),
                \(record.attempts), \(record.lastError), \(record.scheduledAt), \(record.sentAt),
                \(record.readAt), \(record.expiresAt)
            )
            """)
    }

    static func replace(_ record: UserNotification, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.notifications SET
                kind = \(record.kind), channel = \(record.channel), priority = \(record.priority),
                title = \(record.title), body = \(record.body), payload = \(record.payload),
                status = \(record.status), dedupe_key = \(record.dedupeKey), attempts = \(record.attempts),
                last_error = \(record.lastError), scheduled_at = \(record.scheduledAt),
                sent_at = \(record.sentAt), read_at = \(record.readAt), expires_at = \(record.expiresAt)
            WHERE user_id = \(user.uuid) AND id = \(record.id)
            """)
    }
}
