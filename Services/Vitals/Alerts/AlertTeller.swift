internal import Contracts
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import RPC
internal import Time

/// Tells people of their alerts: a job for each, put into the outbox by the transaction that raised it, leaves it with Users, which takes it
/// once.
struct AlertTeller: Sendable {
    let alerts: AlertRuleRepository
    /// Leaves a notification; whether it was new.
    let put: @Sendable (UsersV1.PutNotificationRequest) async throws -> Bool

    init(alerts: AlertRuleRepository, users channel: RPCChannel) {
        let inbox = UsersV1.NotificationInboxServiceClient(channel)
        self.init(alerts: alerts) { request in try await inbox.putNotification(request).added }
    }

    init(alerts: AlertRuleRepository, put: @escaping @Sendable (UsersV1.PutNotificationRequest) async throws -> Bool) {
        self.alerts = alerts
        self.put = put
    }

    var handler: JobHandler {
        JobHandler(AlertNotice.job) { notice, _ in
            // None if its person has left; and what was withdrawn before anybody was told needs no telling.
            guard let alert = try await alerts.find(notice.alert, of: UserID(notice.user)), alert.withdrawnAt == nil else { return }
            do {
                _ = try await put(.init(alert, of: notice.user))
            } catch let error as RPCError where error.code == .failedPrecondition {
                // The account is closed.
                return
            }
        }
    }
}

extension UsersV1.PutNotificationRequest {
    fileprivate init(_ alert: RuleAlert, of user: UUID) {
        self.init(
            userId: user.text, kind: .healthAlert, title: alert.title,
            body: "\(alert.quantity.value.text) \(alert.quantity.unit.text) at \(alert.episode.fire.at.rfc3339).",
            dedupeKey: "alert:\(alert.id.text)")
    }
}
