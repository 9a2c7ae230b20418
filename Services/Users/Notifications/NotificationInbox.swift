internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

/// The method of `heartguard.users.v1.NotificationInboxService`: where other services leave what is to be told to a person.
struct NotificationInbox: Sendable {
    let notifications: Notifications
}

extension NotificationInbox: UsersV1.NotificationInboxServiceProtocol {
    func putNotification(
        _ request: UsersV1.PutNotificationRequest, context: RPCContext
    ) async throws -> UsersV1.PutNotificationResponse {
        let (user, notification) = try request.parsed()
        let added = try await notifications.postgres.transaction(identity: .user(user.uuid)) { transaction in
            // The account is held, so that it is not closed before the notification is there to be erased.
            guard try await transaction.first(.standing(user)) != nil else {
                throw RPCError(.failedPrecondition, "The account is closed, or was never there.")
            }
            return try await notifications.addIfNew(notification, to: user, in: transaction)
        }
        return UsersV1.PutNotificationResponse(added: added)
    }
}

extension UsersV1.PutNotificationRequest {
    func parsed(now: Instant = .now()) throws(RPCError) -> (UserID, UserNotification) {
        var violations = FieldViolations()
        let user = violations.value("user_id", userId, UUID.init(parsing:))
        let kind = violations.value("kind", kind) { kind throws(InvalidValue) in
            switch kind {
            case .healthAlert: UserNotification.Kind.healthAlert
            case .medicationReminder: UserNotification.Kind.medicationReminder
            case .goal: UserNotification.Kind.goal
            default: throw InvalidValue("must be HEALTH_ALERT, MEDICATION_REMINDER or GOAL")
            }
        }
        violations.check((1...200).contains(title.codePointCount) && !title.hasNUL, "title", "It has 1 to 200 characters.")
        violations.check(body.codePointCount <= 4_000 && !body.hasNUL, "body", "It has 4,000 characters at most.")
        violations.check((1...200).contains(dedupeKey.codePointCount) && !dedupeKey.hasNUL, "dedupe_key", "It has 1 to 200 characters.")
        let values = try violations.complete(user, kind)
        return (
            UserID(values.0),
            UserNotification(
                id: UUIDv7.make(), kind: values.1, channel: .inApp, priority: .high, title: title, body: body, dedupeKey: dedupeKey, scheduledAt: now)
        )
    }
}

extension Statement<Scalar<UUID>> {
    /// The account, unless it is closed.
    static func standing(_ user: UserID) -> Self {
        .writing("SELECT id FROM users.users WHERE id = \(user.uuid) AND erasure_id IS NULL FOR SHARE")
    }
}
