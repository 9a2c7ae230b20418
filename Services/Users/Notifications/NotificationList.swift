internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller asks of `ListNotifications`.
struct NotificationList {
    let unreadOnly: Bool
    let size: Int
    /// Behind what was sent then.
    let place: (at: Instant, id: UUID)?

    init(_ request: UsersV1.ListNotificationsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        self.size = try violations.complete(size)
        unreadOnly = request.unreadOnly
        place = try PageToken.place(request.pageToken, of: Self.query(unreadOnly))
    }

    private static func query(_ unreadOnly: Bool) -> [String] { ["notifications", "\(unreadOnly)"] }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [UserNotification]) -> UsersV1.ListNotificationsResponse {
        let (page, next) = PageToken.page(read, of: size) {
            // What is listed was sent.
            PageToken(of: Self.query(unreadOnly), behind: $0.sentAt ?? $0.scheduledAt, $0.id)
        }
        return UsersV1.ListNotificationsResponse(notifications: page.map { .init($0) }, nextPageToken: next)
    }
}

extension UsersV1.MarkNotificationReadRequest {
    func parsed() throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("notification_id", notificationId, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

extension UsersV1.Notification {
    init(_ notification: UserNotification) {
        self.init(
            id: notification.id.text, kind: .init(notification.kind), title: notification.title, body: notification.body,
            sentAt: notification.sentAt.map { .init($0) }, readAt: notification.readAt.map { .init($0) })
    }
}

extension UsersV1.NotificationKind {
    init(_ kind: UserNotification.Kind) {
        self = switch kind {
        case .healthAlert: .healthAlert
        case .appointmentReminder: .appointmentReminder
        case .medicationReminder: .medicationReminder
        case .goal: .goal
        case .message: .message
        case .security: .security
        case .system: .system
        }
    }
}
