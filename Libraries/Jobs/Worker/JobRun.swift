package import Postgres
package import Time

/// One run of one job, lent to its handler.
package struct JobRun: Sendable {
    package let id: JobID
    /// What the job's effect is known by: this job alone, whatever its id.
    package let instance: String
    /// Larger than that of any run before it. Whoever keeps effects elsewhere than in `commit` refuses those of a smaller one.
    package let fence: Int64
    /// 1 for the first. Runs that a shutdown ended don't count.
    package let attempt: Int
    package let enqueuedAt: Instant
    let effects: JobEffects?

    /// Does what the job is for, once: `body` runs in a transaction that is committed only if this run may still act and no other run of
    /// the job has committed before; both are checked, and the second is noted, in the same transaction.
    ///
    /// `.committedBefore` means that the work is done already, by a run that could not say so before it ended. The handler goes on as if
    /// it had done it.
    ///
    /// - Throws: `JobError` `.fenced` if another worker has taken the job over; what `body` throws; `PostgresError` as
    ///   `Postgres.transaction` does. After `.outcomeUnknown` the next run finds out.
    nonisolated(nonsending) package func commit<Value>(
        identity: Identity = .none, tier: TimeoutTier = .normal, _ body: nonisolated(nonsending) (Transaction) async throws -> Value
    ) async throws -> JobEffect<Value> {
        guard let effects else { preconditionFailure("the worker was made without a table of effects") }
        return try await effects.commit(self, identity, tier, body)
    }
}

/// What came of `JobRun.commit`.
package enum JobEffect<Value> {
    case committed(Value)
    case committedBefore
}

extension JobEffect: Sendable where Value: Sendable {}
