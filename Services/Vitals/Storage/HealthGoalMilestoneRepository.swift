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
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> HealthGoalMilestone? {
        try await postgres.first(.find(id, of: user), identity: .user(user.uuid))
    }

    /// Those of one goal, the newest first: ids grow with time.
    func list(of goal: UUID, of user: UserID, limit: Int) async throws(PostgresError) -> [HealthGoalMilestone] {
        try await postgres.rows(.list(of: goal, of: user, limit: limit), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: HealthGoalMilestone, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }

    /// `false` if there was none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removeMilestone(id, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: HealthGoalMilestone, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.health_goal_milestones (
                user_id, id, goal_id, position, title, target_value, target_date, reached_at
            ) VALUES (
                \(user.uuid), \(record.id), \(record.goalID), \(record.position), \(record.title),
                \(record.targetValue), \(record.targetDate), \(record.reachedAt)
            )
            """)
    }

    static func replace(_ record: HealthGoalMilestone, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_goal_milestones SET
                goal_id = \(record.goalID), position = \(record.position), title = \(record.title),
                target_value = \(record.targetValue), target_date = \(record.targetDate),
                reached_at = \(record.reachedAt)
            WHERE user_id = \(user.uuid) AND id = \(record.id)
            """)
    }

    static func removeMilestone(_ id: UUID, of user: UserID) -> Self {
        .writing("DELETE FROM vitals.health_goal_milestones WHERE user_id = \(user.uuid) AND id = \(id)")
    }
}

extension Statement<HealthGoalMilestone> {
    static func find(_ id: UUID, of user: UserID) -> Self {
        .reading(
            "SELECT \(HealthGoalMilestone.columns) FROM vitals.health_goal_milestones WHERE user_id = \(user.uuid) AND id = \(id)")
    }

    static func list(of goal: UUID, of user: UserID, limit: Int) -> Self {
        .reading(
            """
            SELECT \(HealthGoalMilestone.columns) FROM vitals.health_goal_milestones
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}
