internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// Forgets the refresh tokens that have long expired, and each session with its last one: what nobody signs in to again would stay for ever.
struct SessionUpkeep: Sendable {
    let sessions: SessionRepository
    let logger: Logger

    /// A token that was used, and is shown again this late, still ends the session of whoever used it.
    static let memory = Duration.seconds(30 * 86_400)

    /// An hour that passed is of no use: the next call does what was left.
    static let hourly = CronEntry("forget_sessions", .hourly, job, catchUp: .skip) { _ in nil }

    private static let job = Job<Int?>("forget_sessions", retries: .once, timeout: TimeoutTier.batch.limit, resultLife: nil)

    var handler: JobHandler {
        JobHandler(Self.job) { _, _ in
            let count = try await sessions.forget(expiredBefore: .now() - Self.memory)
            if count > 0 { logger.info("refresh tokens that had long expired were forgotten", metadata: ["tokens": "\(count)"]) }
        }
    }
}
