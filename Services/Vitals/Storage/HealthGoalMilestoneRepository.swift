internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A step on the way to a goal.
struct HealthGoalMilestone: Hashable, Sendable {
    var id: UUID
    var goalID: UUID
    var position: Int32
    var title: String
    var targetValue: Numeric
    var targetDate: CivilDate?
    var reachedAt: Instant?
}

extension HealthGoalMilestone: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, goal_id, position, title, target_value, target_date, reached_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        goalID = try row.decode("goal_id")
        position = try row.decode("position")
        title = try row.decode("title")
        targetValue = try row.decode("target_value")
        targetDate = try row.decode("target_date")
        reachedAt = try row.decode("reached_at")
    }
}

/// The rows of `vitals.health_goal_milestones`. Every statement runs as the person whose rows it touches.
struct HealthGoalMilestoneRepository: Sendable {
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: HealthGoalMilestone, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(
            """
            INSERT INTO vitals.health_goal_milestones (
                user_id, id, goal_id, position, title, target_value, target_date, reached_at
            ) VALUES (
                \(user.uuid), \(record.id), \(record.goalID), \(record.position), \(record.title),
                \(record.targetValue), \(record.targetDate), \(record.reachedAt)
            )
            """,
            identity: .user(user.uuid))
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> HealthGoalMilestone? {
        try await postgres.first(
            "SELECT \(HealthGoalMilestone.columns) FROM vitals.health_goal_milestones WHERE user_id = \(user.uuid) AND id = \(id)",
            as: HealthGoalMilestone.self, identity: .user(user.uuid), mode: .readOnly)
    }

    /// Those of one goal, the newest first: ids grow with time.
    func list(of goal: UUID, of user: UserID, limit: Int) async throws(PostgresError) -> [HealthGoalMilestone] {
        try await postgres.rows(
            """
            SELECT \(HealthGoalMilestone.columns) FROM vitals.health_goal_milestones
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) ORDER BY id DESC LIMIT \(limit)
            """,
            as: HealthGoalMilestone.self, identity: .user(user.uuid), mode: .readOnly)
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: HealthGoalMilestone, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(
            """
            UPDATE vitals.health_goal_milestones SET
                goal_id = \(record.goalID), position = \(record.position), title = \(record.title),
                target_value = \(record.targetValue), target_date = \(record.targetDate),
                reached_at = \(record.reachedAt)
            WHERE user_id = \(user.uuid) AND id = \(record.id)
            """,
            identity: .user(user.uuid)) == 1
    }

    /// `false` if there was none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(
            "DELETE FROM vitals.health_goal_milestones WHERE user_id = \(user.uuid) AND id = \(id)", identity: .user(user.uuid)) == 1
    }
}
