package import Postgres
package import Time

/// A table in which the effects of jobs are noted, in the transaction that they are part of. Each service has its own, in its schema.
///
/// A row is a job: the fence of the newest run that is known, and when one committed. Two runs of one job meet at its row's lock, so the one
/// that comes second sees what the first did.
package struct JobEffects: Sendable {
    /// How long a worker remembers a job's effect. A dead letter that is older must not be replayed.
    package static let memory = Duration.seconds(90 * 86_400)

    let postgres: Postgres
    /// Such as `chat.job_effects`.
    let table: Query

    package init(postgres: Postgres, table: Query) {
        self.postgres = postgres
        self.table = table
    }

    nonisolated(nonsending) func commit<Value>(
        _ run: JobRun, _ identity: Identity, _ tier: TimeoutTier, _ body: nonisolated(nonsending) (Transaction) async throws -> Value
    ) async throws -> JobEffect<Value> {
        try await postgres.transaction(identity: identity, tier: tier) { transaction in
            if try await transaction.execute(.commitEffect(of: run.instance, fence: run.fence, in: table)) == 1 {
                return .committed(try await body(transaction))
            }
            let row = try await transaction.first(.effect(of: run.instance, in: table))
            guard let row, row.fence <= run.fence else {
                throw JobError(.fenced, "Another worker has taken the job over; this run's work was refused.")
            }
            return .committedBefore
        }
    }

    /// Shuts out the runs before this one, of which one may still be about to commit. Waits for one that is committing.
    func shutOut(before run: JobRun) async throws(PostgresError) {
        try await postgres.execute(.shutOut(before: run.fence, of: run.instance, in: table))
    }

    /// Deletes what was noted before a moment, a thousand rows at a time. A job that is older than its row could be done again, so this is
    /// for rows that are older than any job.
    package func forget(before moment: Instant) async throws(PostgresError) {
        while try await postgres.execute(.forgetEffects(before: moment, in: table)) == 1_000 {}
    }
}

/// What is known of a job.
package struct JobEffectRow: Sendable, RowDecodable {
    let fence: Int64

    package init(row: Row) throws(PostgresError) {
        fence = try row.decode("fence")
    }
}

extension Statement<Void> {
    package static func commitEffect(of instance: String, fence: Int64, in table: Query) -> Self {
        .writing(
            """
            INSERT INTO \(table) AS effect (instance, fence, committed_at) VALUES (\(instance), \(fence), clock_timestamp())
            ON CONFLICT (instance) DO UPDATE SET fence = excluded.fence, committed_at = excluded.committed_at
            WHERE effect.committed_at IS NULL AND effect.fence <= excluded.fence
            """)
    }

    package static func shutOut(before fence: Int64, of instance: String, in table: Query) -> Self {
        .writing(
            """
            INSERT INTO \(table) AS effect (instance, fence) VALUES (\(instance), \(fence))
            ON CONFLICT (instance) DO UPDATE SET fence = excluded.fence WHERE effect.fence < excluded.fence
            """)
    }

    package static func forgetEffects(before moment: Instant, in table: Query) -> Self {
        .writing(
            """
            DELETE FROM \(table) WHERE instance IN (SELECT instance FROM \(table) WHERE updated_at < \(moment) ORDER BY updated_at LIMIT 1000)
            """,
            tier: .normal)
    }
}

extension Statement<JobEffectRow> {
    package static func effect(of instance: String, in table: Query) -> Self {
        .reading("SELECT fence FROM \(table) WHERE instance = \(instance)")
    }
}
