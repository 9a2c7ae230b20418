internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time

/// Messages to people. What causes one adds it in its own transaction, so there is one if and only if that was committed; a job sends it, once;
/// then its person sees it and marks it as read.
///
/// Sent means that it can be seen. Whoever pushes to telephones or writes e-mails does so with what is sent.
struct Notifications: Sendable {
    let postgres: Postgres
    private let outbox: Outbox

    init(postgres: Postgres) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "users.outbox")
    }

    struct Delivery: Codable, Hashable, Sendable {
        let notification: UUID
        let user: UUID
    }

    static let delivery = Job<Delivery>("deliver_notification", priority: .high, resultLife: nil)

    var handler: JobHandler {
        JobHandler(Self.delivery) { delivery, run in
            _ = try await run.commit(identity: .user(delivery.user)) { transaction in
                // None if its person or the message is not there any more.
                try await transaction.execute(.markSent(delivery.notification, of: UserID(delivery.user)))
            }
        }
    }

    /// Adds a message in the transaction of what causes it, unless its person has one with the same `dedupeKey`.
    func add(_ notification: UserNotification, to user: UserID, in transaction: Transaction) async throws {
        _ = try await addIfNew(notification, to: user, in: transaction)
    }

    /// Adds a message as `add` does, and says whether it was added.
    func addIfNew(_ notification: UserNotification, to user: UserID, in transaction: Transaction) async throws -> Bool {
        guard try await transaction.execute(.notify(notification, user)) == 1 else { return false }
        let delivery = Delivery(notification: notification.id, user: user.uuid)
        try await outbox.add(OutboxEvent(Self.delivery, delivery, about: notification.id, due: notification.scheduledAt), in: transaction)
        return true
    }

    /// What was sent and has not expired, what was sent last first, at most so many behind a place, if it is given.
    func list(
        of user: UserID, unreadOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int
    ) async throws(PostgresError) -> [UserNotification] {
        try await postgres.rows(.sent(to: user, unreadOnly: unreadOnly, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// Marks one as read; again, and nothing changes. `nil` if nothing with this id was sent to the person.
    func markRead(_ id: UUID, of user: UserID) async throws(PostgresError) -> UserNotification? {
        try await postgres.first(.markRead(id, of: user), identity: .user(user.uuid))
    }
}

extension UserNotification {
    /// That a refresh token was used a second time, and what came of it.
    static func refreshTokenReused(in session: SessionID) -> UserNotification {
        UserNotification(
            id: UUIDv7.make(), kind: .security, channel: .inApp, priority: .high, title: "A session of yours was ended",
            body: "A key of the session was used a second time, as if it had been copied. If that was not you, change your password.",
            dedupeKey: "refresh_reuse:\(session.text)", scheduledAt: .now())
    }

    /// That the account has another password, and what came of it.
    static func passwordChanged() -> UserNotification {
        UserNotification(
            id: UUIDv7.make(), kind: .security, channel: .inApp, priority: .high, title: "Your password was changed",
            body: "Every other session of yours was ended. If that was not you, tell those who run this service at once.", scheduledAt: .now())
    }
}

extension Statement<Void> {
    /// No row if the person has one for the same reason.
    static func notify(_ notification: UserNotification, _ user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.notifications (user_id, id, kind, channel, priority, title, body, payload, dedupe_key, scheduled_at, expires_at)
            VALUES (\(user.uuid), \(notification.id), \(notification.kind), \(notification.channel), \(notification.priority),
                    \(notification.title), \(notification.body), \(notification.payload), \(notification.dedupeKey),
                    \(notification.scheduledAt), \(notification.expiresAt))
            ON CONFLICT ON CONSTRAINT notifications_dedupe_key DO NOTHING
            """)
    }

    static func markSent(_ id: UUID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.notifications SET status = 'sent', sent_at = clock_timestamp(), attempts = attempts + 1
            WHERE user_id = \(user.uuid) AND id = \(id) AND status = 'pending'
            """)
    }
}

extension Statement<UserNotification> {
    static func sent(to user: UserID, unreadOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int) -> Self {
        let rest: Query = if let place { "AND (sent_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(UserNotification.columns) FROM users.notifications
            WHERE user_id = \(user.uuid) AND status IN ('sent', 'delivered') AND (read_at IS NULL OR NOT \(unreadOnly))
              AND (expires_at IS NULL OR expires_at > clock_timestamp()) \(rest)
            ORDER BY sent_at DESC, id DESC LIMIT \(limit)
            """)
    }

    static func markRead(_ id: UUID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.notifications SET read_at = coalesce(read_at, clock_timestamp())
            WHERE user_id = \(user.uuid) AND id = \(id) AND status IN ('sent', 'delivered')
            RETURNING \(UserNotification.columns)
            """)
    }
}
