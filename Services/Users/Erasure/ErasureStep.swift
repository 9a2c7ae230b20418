internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Time

/// The jobs of an erasure: the first removes what is kept, the second does so for good and signs the receipt.
enum ErasureStep: String, Sendable {
    case eraseAccount = "erase_account"
    case finishErasure = "finish_erasure"

    func job(_ retries: RetryPolicy = RetryPolicy()) -> Job<ErasureSubject> {
        Job(rawValue, retries: retries, timeout: .seconds(3_600), resultLife: nil, uniqueKey: { $0.erasure.text })
    }

    /// The step of one erasure, for the outbox.
    func event(_ erasure: ErasureID, _ user: UserID, due: Instant? = nil) throws(JobError) -> OutboxEvent {
        try OutboxEvent(job(), ErasureSubject(erasure: erasure.uuid, user: user.uuid), about: erasure.uuid, due: due)
    }
}
