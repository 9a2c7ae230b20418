internal import Application
internal import Audit
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Which of a person's events are asked for.
struct AccessQuery: Hashable, Sendable {
    /// Behind this event, in the order of the list.
    struct Place: Hashable, Sendable {
        let occurredAt: Instant
        let writer: UUID
        let sequence: Int64
    }

    var action: AuditEvent.Action?
    var start: Instant?
    var end: Instant?
    var place: Place?
    var limit: Int
}

/// What is on record of a person's records.
struct AccessLogRepository: Sendable {
    let postgres: Postgres

    /// The newest first, and from when on none is missing that was moved into an archive; `nil` if none ever was.
    func list(
        of user: UserID, _ query: AccessQuery
    ) async throws(PostgresError) -> (events: [RecordedEvent], completeSince: Instant?) {
        let (events, archived) = try await postgres.batch(.accessEvents(of: user, query), .newestArchive, identity: .user(user.uuid))
        return (try events.rows(), try archived.first()?.value)
    }
}

extension Statement<Scalar<Instant>> {
    /// Before when events have been moved into archives.
    static var newestArchive: Self {
        .reading("SELECT before FROM heartguard.audit_archives ORDER BY before DESC LIMIT 1")
    }
}

extension Statement<RecordedEvent> {
    static func accessEvents(of user: UserID, _ query: AccessQuery) -> Self {
        let action: Query = if let action = query.action { "AND action = \(action)" } else { "" }
        let start: Query = if let start = query.start { "AND occurred_at >= \(start)" } else { "" }
        let end: Query = if let end = query.end { "AND occurred_at < \(end)" } else { "" }
        let rest: Query =
            if let place = query.place { "AND (occurred_at, writer, sequence) < (\(place.occurredAt), \(place.writer), \(place.sequence))" } else { "" }
        return .reading(
            """
            SELECT \(RecordedEvent.columns) FROM heartguard.audit_log
            WHERE user_id = \(user.uuid) \(action) \(start) \(end) \(rest)
            ORDER BY occurred_at DESC, writer DESC, sequence DESC LIMIT \(query.limit)
            """)
    }
}
