package import FoundationEssentials
package import Postgres
package import Time

/// Something that was committed and has a job to follow. It names ids and holds nothing personal.
package struct OutboxEvent: Hashable, Sendable, RowDecodable {
    /// The job's id too, unless it has a unique key.
    package let id: UUID
    /// The job's name.
    package let topic: String
    /// What it is about.
    package let aggregateID: UUID
    /// The job's payload: an object.
    package let payload: JSONB
    package let priority: JobPriority
    package let uniqueKey: String?
    /// Not to be run before; nil for at once.
    package let due: Instant?

    package init(
        id: UUID = UUIDv7.make(), topic: String, aggregateID: UUID, payload: JSONB = JSONB("{}"), priority: JobPriority = .normal,
        uniqueKey: String? = nil, due: Instant? = nil
    ) {
        self.id = id
        self.topic = topic
        self.aggregateID = aggregateID
        self.payload = payload
        self.priority = priority
        self.uniqueKey = uniqueKey
        self.due = due
    }

    package init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        topic = try row.decode("topic")
        aggregateID = try row.decode("aggregate_id")
        payload = try row.decode("payload")
        priority = try row.decode("priority")
        uniqueKey = try row.decode("unique_key")
        due = nil
    }

    /// A job to be enqueued once the transaction is committed, and not if it is not.
    ///
    /// - Throws: `.invalidPayload` if the payload is no object in JSON.
    package init<Payload>(
        _ job: Job<Payload>, _ payload: Payload, about aggregate: UUID, due: Instant? = nil
    ) throws(JobError) {
        let text: String
        do {
            let value = try JobValue(payload)
            guard value.object != nil else { throw JobError(.invalidPayload, "The payload of a job of an outbox has to be an object.") }
            text = String(decoding: try value.bytes, as: UTF8.self)
        } catch let error as JobError {
            throw error
        } catch {
            throw JobError(.invalidPayload, "The payload of the job cannot be written as JSON.", cause: error)
        }
        self.init(
            topic: job.name, aggregateID: aggregate, payload: JSONB(text), priority: job.priority, uniqueKey: job.uniqueKey?(payload),
            due: due)
    }
}

extension JobPriority: PostgresEncodable, PostgresDecodable {}

/// The jobs that a service's transactions have decided on: rows that are committed with them, and that a relay puts in the queue.
package struct Outbox: Sendable {
    let postgres: Postgres
    /// Such as `users.outbox`.
    let table: Query

    package init(postgres: Postgres, table: Query) {
        self.postgres = postgres
        self.table = table
    }

    /// Adds an event in the transaction that it tells of.
    package func add(_ event: OutboxEvent, in transaction: Transaction) async throws(PostgresError) {
        try await transaction.execute(.add(event, to: table))
    }

    /// Lends the oldest events that are due to `publish` and marks those that it returns the ids of. Dispatchers that work
    /// at the same time get other events; one that dies leaves its events for the next, so an event may be told twice.
    package func dispatch(
        limit: Int, _ publish: nonisolated(nonsending) ([OutboxEvent], Transaction) async throws -> [UUID]
    ) async throws -> [UUID] {
        try await postgres.transaction(tier: .normal) { transaction in
            let due = try await transaction.rows(.due(in: table, limit: limit))
            guard !due.isEmpty else { return [] }
            let published = try await publish(due, transaction)
            try await transaction.execute(.markPublished(published, in: table))
            return published
        }
    }

    /// Events that wait, and since when the oldest of them could have been told.
    package func backlog() async throws(PostgresError) -> OutboxBacklog {
        try await postgres.first(.backlog(of: table)) ?? .none
    }

    /// Deletes events that were told before a moment, a thousand at a time.
    package func forget(before moment: Instant) async throws(PostgresError) {
        while try await postgres.execute(.forgetEvents(before: moment, in: table)) == 1_000 {}
    }
}

package struct OutboxBacklog: Hashable, Sendable, RowDecodable {
    package let waiting: Int64
    package let oldest: Instant?

    static let none = OutboxBacklog(waiting: 0, oldest: nil)

    package init(waiting: Int64, oldest: Instant?) {
        self.waiting = waiting
        self.oldest = oldest
    }

    package init(row: Row) throws(PostgresError) {
        waiting = try row.decode("waiting")
        oldest = try row.decode("oldest")
    }
}

extension Statement<OutboxEvent> {
    /// Those that another dispatcher holds are left out.
    package static func due(in table: Query, limit: Int) -> Self {
        .writing(
            """
            SELECT id, topic, aggregate_id, payload, priority, unique_key FROM \(table)
            WHERE published_at IS NULL AND available_at <= clock_timestamp()
            ORDER BY available_at, id LIMIT \(limit) FOR UPDATE SKIP LOCKED
            """)
    }
}

extension Statement<OutboxBacklog> {
    package static func backlog(of table: Query) -> Self {
        .reading(
            """
            SELECT count(*) AS waiting, min(available_at) AS oldest FROM \(table)
            WHERE published_at IS NULL AND available_at <= clock_timestamp()
            """)
    }
}

extension Statement<Void> {
    package static func add(_ event: OutboxEvent, to table: Query) -> Self {
        .writing(
            """
            INSERT INTO \(table) (id, topic, aggregate_id, payload, priority, unique_key, available_at)
            VALUES (\(event.id), \(event.topic), \(event.aggregateID), \(event.payload), \(event.priority), \(event.uniqueKey),
                    coalesce(\(event.due)::timestamptz, clock_timestamp()))
            """)
    }

    package static func markPublished(_ events: [UUID], in table: Query) -> Self {
        .writing(
            "UPDATE \(table) SET published_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL WHERE id = ANY(\(events))")
    }

    /// Has an event that was refused wait, longer each time and an hour at most, so that it is in nobody's way.
    package static func putOff(_ event: UUID, because reason: String, in table: Query) -> Self {
        .writing(
            """
            UPDATE \(table) SET attempts = attempts + 1, last_error = \(reason),
                available_at = clock_timestamp() + least(interval '1 hour', interval '1 second' * power(2, least(attempts, 12)))
            WHERE id = \(event)
            """)
    }

    package static func forgetEvents(before moment: Instant, in table: Query) -> Self {
        .writing(
            """
            DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE published_at < \(moment) ORDER BY published_at LIMIT 1000)
            """,
            tier: .normal)
    }
}
