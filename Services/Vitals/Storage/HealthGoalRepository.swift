internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What the person wants to reach.
struct HealthGoal: Hashable, Sendable {
    enum GoalType: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case weight, bloodPressure = "blood_pressure", heartRate = "heart_rate", glucose,
            cholesterol, steps, exercise, sleep,
            medication, smoking, other
    }

    enum Direction: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case increase, decrease, maintain
    }

    enum Status: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case active, paused, completed, abandoned
    }

    var id: UUID
    var goalType: GoalType
    var title: String
    var description: String?
    var metric: String?
    var unit: String
    var startValue: Numeric?
    var targetValue: Numeric
    var currentValue: Numeric?
    var direction: Direction = .increase
    var status: Status = .active
    var startsOn: CivilDate
    var targetDate: CivilDate?
    var completedAt: Instant?
    var version: Int64 = 1
    /// IANA: whose days these are.
    var timeZone: String = "UTC"
}

extension HealthGoal: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, goal_type, title, description, metric, unit, start_value, target_value, current_value, direction,
        status, starts_on, target_date, completed_at, version, time_zone
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        goalType = try row.decode("goal_type")
        title = try row.decode("title")
        description = try row.decode("description")
        metric = try row.decode("metric")
        unit = try row.decode("unit")
        startValue = try row.decode("start_value")
        targetValue = try row.decode("target_value")
        currentValue = try row.decode("current_value")
        direction = try row.decode("direction")
        status = try row.decode("status")
        startsOn = try row.decode("starts_on")
        targetDate = try row.decode("target_date")
        completedAt = try row.decode("completed_at")
        version = try row.decode("version")
        timeZone = try row.decode("time_zone")
    }
}

/// The rows of `vitals.user_health_goals`. Every statement runs as the person whose rows it touches.
struct HealthGoalRepository: RemovableRecords {
    static let table: Query = "vitals.user_health_goals"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: HealthGoal, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: HealthGoal, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: HealthGoal, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.user_health_goals (
                user_id, id, goal_type, title, description, metric, unit, start_value, target_value,
                current_value, direction, status, starts_on, target_date, completed_at, version, time_zone
            ) VALUES (
                \(user.uuid), \(record.id), \(record.goalType), \(record.title), \(record.description),
                \(record.metric), \(record.unit), \(record.startValue), \(record.targetValue),
                \(record.currentValue), \(record.direction), \(record.status), \(record.startsOn),
                \(record.targetDate), \(record.completedAt), \(record.version), \(record.timeZone)
            )
            """)
    }

    static func replace(_ record: HealthGoal, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.user_health_goals SET
                goal_type = \(record.goalType), title = \(record.title), description = \(record.description),
                metric = \(record.metric), unit = \(record.unit), start_value = \(record.startValue),
                target_value = \(record.targetValue), current_value = \(record.currentValue),
                direction = \(record.direction), status = \(record.status), starts_on = \(record.startsOn),
                target_date = \(record.targetDate), completed_at = \(record.completedAt), time_zone = \(record.timeZone), version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
