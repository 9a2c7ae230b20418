internal import Application
internal import Postgres
internal import Time

/// What changed of a person, in the order in which it was committed.
///
/// Every change has taken the next number of its person's timeline while it held it, so whoever sees the timeline at a number sees all changes
/// up to it. What changed twice stands at its last number alone.
struct LiveFeed: Sendable {
    let postgres: Postgres
    /// Changes that are read at once.
    var page = 200

    enum Event: Sendable {
        case observation(Observation)
        case alert(RuleAlert)
    }

    struct Change: Sendable {
        let event: Event
        let position: Int64
    }

    struct News: Sendable {
        /// In the order of their positions.
        let changes: [Change]
        /// All up to here is in them.
        let position: Int64
        /// Whether there may be more already.
        let hasMore: Bool
    }

    /// Where the person's timeline is now.
    func position(of user: UserID) async throws(PostgresError) -> Int64 {
        try await postgres.first(.position(of: user), identity: .user(user.uuid))?.value ?? 0
    }

    func news(of user: UserID, behind position: Int64) async throws(PostgresError) -> News {
        // The timeline first: a later statement sees no less than it does.
        let (now, observations, alerts) = try await postgres.batch(
            .position(of: user), .observations(of: user, changedBehind: position, limit: page),
            .alerts(of: user, changedBehind: position, limit: page), identity: .user(user.uuid))
        guard let now = try now.first()?.value, now > position else { return News(changes: [], position: position, hasMore: false) }
        let readings = try observations.rows().map { Change(event: .observation($0.value), position: $0.position) }
        let raised = try alerts.rows().map { Change(event: .alert($0.value), position: $0.position) }
        // Behind the last of a list that is full there may be others.
        var end = now
        for list in [readings, raised] where list.count == page { end = min(end, list.last?.position ?? end) }
        let changes = (readings + raised).filter { $0.position <= end }.sorted { $0.position < $1.position }
        return News(changes: changes, position: end, hasMore: end < now)
    }
}

/// A row with its place on its person's timeline.
struct Positioned<Value: RowDecodable & Sendable>: RowDecodable, Sendable {
    let value: Value
    let position: Int64

    init(row: Row) throws(PostgresError) {
        value = try Value(row: row)
        position = try row.decode("position")
    }
}

extension Statement<Scalar<Int64>> {
    static func position(of user: UserID) -> Self {
        .reading("SELECT position FROM vitals.timelines WHERE user_id = \(user.uuid)")
    }
}

extension Statement<Positioned<Observation>> {
    static func observations(of user: UserID, changedBehind position: Int64, limit: Int) -> Self {
        .reading(
            """
            SELECT \(Observation.columns), position FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND position > greatest(\(position), 0) ORDER BY position LIMIT \(limit)
            """)
    }
}

extension Statement<Positioned<RuleAlert>> {
    static func alerts(of user: UserID, changedBehind position: Int64, limit: Int) -> Self {
        .reading(
            """
            SELECT \(RuleAlert.columns), position FROM vitals.health_alerts
            WHERE user_id = \(user.uuid) AND position > greatest(\(position), 0) ORDER BY position LIMIT \(limit)
            """)
    }
}
