internal import FoundationEssentials
internal import Postgres

/// Something that other contexts have to learn. It names ids and holds nothing personal.
struct OutboxEvent: Hashable, Sendable, RowDecodable {
    let id: UUID
    let topic: String
    let aggregateID: UUID
    let payload: JSONB

    init(id: UUID, topic: String, aggregateID: UUID, payload: JSONB = JSONB("{}")) {
        self.id = id
        self.topic = topic
        self.aggregateID = aggregateID
        self.payload = payload
    }

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        topic = try row.decode("topic")
        aggregateID = try row.decode("aggregate_id")
        payload = try row.decode("payload")
    }
}

/// The rows of `users.outbox`.
struct OutboxRepository: Sendable {
    let postgres: Postgres

    /// Adds an event in the transaction that it tells of.
    static func add(_ event: OutboxEvent, in transaction: Transaction) async throws(PostgresError) {
        try await transaction.execute(.add(event))
    }

    /// Lends the oldest events that are due to `publish` and marks those that it returns the ids of. Dispatchers that work
    /// at the same time get other events; one that dies leaves its events for the next, so an event may be told twice.
    func dispatch(
        limit: Int, _ publish: nonisolated(nonsending) ([OutboxEvent]) async throws -> [UUID]
    ) async throws -> Int {
        try await postgres.transaction(tier: .normal) { transaction in
            let due = try await transaction.rows(.due(limit: limit))
            guard !due.isEmpty else { return 0 }
            let published = try await publish(due)
            return try await transaction.execute(.markPublished(published))
        }
    }
}

extension Statement<OutboxEvent> {
    /// Those that another dispatcher holds are left out.
    static func due(limit: Int) -> Self {
        .writing(
            """
            SELECT id, topic, aggregate_id, payload FROM users.outbox
            WHERE published_at IS NULL AND available_at <= clock_timestamp()
            ORDER BY available_at, id LIMIT \(limit) FOR UPDATE SKIP LOCKED
            """)
    }
}

extension Statement<Void> {
    static func add(_ event: OutboxEvent) -> Self {
        .writing(
            """
            INSERT INTO users.outbox (id, topic, aggregate_id, payload)
            VALUES (\(event.id), \(event.topic), \(event.aggregateID), \(event.payload))
            """)
    }

    static func markPublished(_ events: [UUID]) -> Self {
        .writing(
            "UPDATE users.outbox SET published_at = clock_timestamp(), attempts = attempts + 1 WHERE id = ANY(\(events))")
    }
}
