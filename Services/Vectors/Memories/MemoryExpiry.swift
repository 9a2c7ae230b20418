internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// Empties memories that are past their end, so that they are not only kept from being served.
struct MemoryExpiry: Sendable {
    let postgres: Postgres
    let logger: Logger
    /// Memories of one transaction.
    var batch = 1_000

    /// An hour that passed is of no use: the next call does what was left.
    static let hourly = CronEntry("memory_expiry", .hourly, job, catchUp: .skip) { _ in nil }

    private static let job = Job<Int?>("empty_expired_memories", retries: .once, timeout: TimeoutTier.batch.limit, resultLife: nil)

    var handler: JobHandler {
        JobHandler(Self.job) { _, _ in
            let count = try await emptyExpired()
            if count > 0 { logger.info("memories past their end were emptied", metadata: ["memories": "\(count)"]) }
        }
    }

    /// How many there were, whoever's they were.
    func emptyExpired() async throws(PostgresError) -> Int64 {
        var count: Int64 = 0
        while true {
            let emptied = try await postgres.first(.emptyExpiredMemories(atMost: batch))?.value ?? 0
            count += emptied
            if emptied < batch { return count }
        }
    }
}

extension Statement<Scalar<Int64>> {
    static func emptyExpiredMemories(atMost most: Int) -> Self {
        .writing("SELECT vectors.empty_expired_memories(\(Int32(most))) AS emptied", tier: .normal)
    }
}
