internal import FoundationEssentials
internal import Jobs

/// That a person is to be told of an alert.
struct AlertNotice: Codable, Hashable, Sendable {
    let alert: UUID
    let user: UUID

    static let job = Job<AlertNotice>("tell_alert", priority: .high, retries: RetryPolicy(maximumTries: 1_000), resultLife: nil)
}
