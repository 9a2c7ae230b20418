internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// How far the person was at one time.
struct HealthGoalProgress: Hashable, Sendable {
    enum Source: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case manual, device, vitals, import_ = "import"
    }

    var id: UUID
    var goalID: UUID
    var value: Numeric
    var note: String?
    var source: Source = .manual
    var vitalID: UUID?
    var recordedAt: Instant
}

extension HealthGoalProgress: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, goal_id, value, note, source, vital_id, recorded_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        goalID = try row.decode("goal_id")
        value = try row.decode("value")
        note = try row.decode("note")
        source = try row.decode("source")
        vitalID = try row.decode("vital_id")
        recordedAt = try row.decode("recorded_at")
    }
}

/// The rows of `vitals.health_goal_progress`. Every statement runs as the person whose rows it touches.
struct HealthGoalProgressRepository: Sendable {
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: HealthGoalProgress, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> HealthGoalProgress? {
        try await postgres.first(.find(id, of: user), identity: .user(user.uuid))
    }

    /// Those of one goal, the newest first: ids grow with time.
    func list(of goal: UUID, of user: UserID, limit: Int) async throws(PostgresError) -> [HealthGoalProgress] {
        try await postgres.rows(.list(of: goal, of: user, limit: limit), identity: .user(user.uuid))
    }

    /// `false` if there was none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removeProgress(id, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: HealthGoalProgress, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.health_goal_progress (
                user_id, id, goal_id, value, note, source, vital_id, recorded_at
            ) VALUES (
                \(user.uuid), \(record.id), \(record.goalID), \(record.value), \(record.note), \(record.source),
                \(record.vitalID), \(record.recordedAt)
            )
            """)
    }

    static func removeProgress(_ id: UUID, of user: UserID) -> Self {
        .writing("DELETE FROM vitals.health_goal_progress WHERE user_id = \(user.uuid) AND id = \(id)")
    }
}

extension Statement<HealthGoalProgress> {
    static func find(_ id: UUID, of user: UserID) -> Self {
        .reading(
            "SELECT \(HealthGoalProgress.columns) FROM vitals.health_goal_progress WHERE user_id = \(user.uuid) AND id = \(id)")
    }

    static func list(of goal: UUID, of user: UserID, limit: Int) -> Self {
        .reading(
            """
            SELECT \(HealthGoalProgress.columns) FROM vitals.health_goal_progress
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}
