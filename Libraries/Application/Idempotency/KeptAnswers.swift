internal import FoundationEssentials
internal import Logging
package import Postgres
internal import Schema
internal import Time

/// The answers of calls with an idempotency-key, in a service's table, each for as long as `life`.
package struct KeptAnswers: Sendable {
    let postgres: Postgres
    let schema: Query
    let life: Duration
    let logger: Logger
    /// Answers of one transaction that removes them.
    var batch = 1_000

    /// Removes the answers whose time is over, once an hour, until the task is cancelled. Replicas share the work.
    func run() async {
        while !Task.isCancelled {
            // Cancellation only ends the wait. Replicas that began together must not do it together.
            try? await Task.sleep(for: .seconds(3_600) * Double.random(in: 0.9...1.1))
            do {
                let count = try await removeExpired()
                if count > 0 { logger.info("kept answers were removed", metadata: ["answers": "\(count)"]) }
            } catch where !Task.isCancelled {
                logger.warning("kept answers could not be removed", metadata: ["reason": "\(error)"])
            } catch {}
        }
    }

    /// How many there were, whoever's they were.
    func removeExpired() async throws(PostgresError) -> Int64 {
        var count: Int64 = 0
        while true {
            let removed = try await postgres.first(.removeExpiredAnswers(atMost: batch, in: schema))?.value ?? 0
            count += removed
            if removed < batch { return count }
        }
    }
}

extension ServiceRole {
    /// Its schema, as a part of statements.
    var schema: Query {
        switch self {
        case .users: "users"
        case .vitals: "vitals"
        case .chat: "chat"
        case .vectors: "vectors"
        }
    }
}

/// What was answered, and to which request.
package struct KeptAnswer: Hashable, Sendable, RowDecodable {
    package let request: [UInt8]
    package let answer: [UInt8]

    package init(row: Row) throws(PostgresError) {
        request = try row.decode("request")
        answer = try row.decode("answer")
    }
}

extension Statement<Scalar<Bool>> {
    /// Takes the lock of a call until the transaction ends, unless a call with the same key has it. Whether it did.
    package static func lock(_ call: KeyedCall) -> Self {
        .reading("SELECT pg_try_advisory_xact_lock(\(call.lock)) AS is_locked")
    }
}

extension Statement<KeptAnswer> {
    package static func answer(to call: KeyedCall, in schema: Query) -> Self {
        .reading(
            """
            SELECT request, answer FROM \(schema).idempotency_keys
            WHERE user_id = \(call.person) AND id = \(call.id) AND expires_at > clock_timestamp()
            """)
    }
}

extension Statement<Void> {
    /// In the place of one whose time is over. No row where there is another.
    package static func keep(_ answer: [UInt8], to call: KeyedCall, for life: Duration, in schema: Query) -> Self {
        .writing(
            """
            INSERT INTO \(schema).idempotency_keys AS kept (user_id, id, request, answer, expires_at)
            VALUES (\(call.person), \(call.id), \(call.request), \(answer), \(Instant.now() + life))
            ON CONFLICT (user_id, id) DO UPDATE
            SET request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at
            WHERE kept.expires_at <= clock_timestamp()
            """)
    }
}

extension Statement<Scalar<Int64>> {
    package static func removeExpiredAnswers(atMost most: Int, in schema: Query) -> Self {
        .writing("SELECT \(schema).remove_expired_answers(\(Int32(most))) AS removed", tier: .normal)
    }
}
