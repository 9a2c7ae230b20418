package import FoundationEssentials
internal import Jobs
package import Postgres
internal import Time

/// How many rows of a table were removed.
package struct RemovedRows: Hashable, Sendable, RowDecodable {
    package let table: String
    package let count: Int64

    package init(table: String, count: Int64) {
        self.table = table
        self.count = count
    }

    package init(row: Row) throws(PostgresError) {
        table = try row.decode("relation")
        count = try row.decode("removed")
    }
}

/// Whose records are removed, and for which erasure.
package struct ErasureSubject: Codable, Hashable, Sendable {
    package let erasure: UUID
    package let user: UUID

    package init(erasure: UUID, user: UUID) {
        self.erasure = erasure
        self.user = user
    }
}

/// Removes what a service keeps of a person whose account Users has closed.
///
/// It goes in steps, each a transaction of its own that also counts what it removed; so it may be broken off anywhere and begun again, by
/// several at once, and each row is counted once.
package struct RecordErasure: Sendable {
    let postgres: Postgres
    let schema: Query
    let besides: @Sendable (ErasureSubject) async throws -> Void
    /// Rows of one step. At 10,000 and more others would wait for the locks of a step (70 ms for 2,000 on two busy cores).
    package var step = 2_000
    /// How long one call works before it says how far it came.
    package var patience = Duration.seconds(10)

    /// - Parameters:
    ///   - schema: the service's.
    ///   - besides: removes what is kept of a person elsewhere than in the schema's tables. Run when those are empty, so that nothing is made
    ///     of their rows again.
    package init(postgres: Postgres, schema: Query, besides: @escaping @Sendable (ErasureSubject) async throws -> Void) {
        self.postgres = postgres
        self.schema = schema
        self.besides = besides
    }

    /// With what a service's queue has of the person.
    package init(_ host: ServiceHost, schema: Query, besides: @escaping @Sendable (ErasureSubject) async throws -> Void) {
        let queue = JobQueue(redis: host.durable, name: "arq:queue:\(host.configuration.service)")
        self.init(postgres: host.postgres, schema: schema) { subject in
            try await queue.forget(naming: subject.user, sparing: subject.erasure)
            try await besides(subject)
        }
    }

    package struct Progress: Hashable, Sendable {
        /// Everything that was removed for this erasure, whichever call removed it.
        package let removed: [RemovedRows]
        /// Whether nothing was left.
        package let isComplete: Bool

        package init(removed: [RemovedRows], isComplete: Bool) {
            self.removed = removed
            self.isComplete = isComplete
        }
    }

    /// - Throws: `ErasureError.accountStands`, and then nothing was removed; what `besides` throws, and then it is to be called again.
    package func erase(_ subject: ErasureSubject) async throws -> Progress {
        let end = ContinuousClock.now.advanced(by: patience)
        var isEmpty = false
        repeat { isEmpty = try await eraseRows(subject) == 0 } while !isEmpty && ContinuousClock.now < end
        if isEmpty {
            try await postgres.execute(.forgetEvents(about: subject, in: schema))
            try await besides(subject)
        }
        return Progress(removed: try await postgres.rows(.removedRows(for: subject.erasure, in: schema)), isComplete: isEmpty)
    }

    private func eraseRows(_ subject: ErasureSubject) async throws -> Int64 {
        do throws(PostgresError) {
            let removed = try await postgres.first(
                .eraseRows(for: subject.erasure, atMost: step, in: schema), identity: .user(subject.user))
            return removed?.value ?? 0
        } catch {
            guard error.code == .insufficientPrivilege else { throw error }
            throw ErasureError.accountStands
        }
    }
}

extension Statement<Scalar<Int64>> {
    /// Of one table: which, the statement decides.
    package static func eraseRows(for erasure: UUID, atMost most: Int, in schema: Query) -> Self {
        .writing("SELECT coalesce(removed, 0) AS removed FROM \(schema).erase_rows(\(erasure), \(Int32(most)))", tier: .normal)
    }
}

extension Statement<RemovedRows> {
    package static func removedRows(for erasure: UUID, in schema: Query) -> Self {
        .reading("SELECT relation, removed FROM \(schema).erasure_counts WHERE erasure_id = \(erasure) ORDER BY relation")
    }
}

extension Statement<Void> {
    /// Those whose payload names the person as `user`, but for the erasure's own.
    package static func forgetEvents(about subject: ErasureSubject, in schema: Query) -> Self {
        .writing(
            """
            DELETE FROM \(schema).outbox
            WHERE lower(payload ->> 'user') = \(subject.user.text) AND aggregate_id <> \(subject.erasure)
            """,
            tier: .normal)
    }
}
