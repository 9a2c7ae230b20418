internal import FoundationEssentials
internal import Postgres
internal import Time

/// A goal with what is worked out about it.
struct KnownGoal: Sendable, RowDecodable {
    let goal: HealthGoal
    /// How far from start to target, 0 to 100 and rounded down; `nil` where it cannot be said.
    let percent: Int32?
    let createdAt: Instant
    /// Up to which place on the person's timeline readings have become progress; `nil` before the first time.
    let derivedThrough: Int64?

    /// The columns that the initialiser reads.
    static let columns: Query = """
        \(HealthGoal.columns), created_at, derived_through,
        CASE WHEN direction <> 'maintain' AND start_value <> target_value THEN
            least(100, greatest(0, div(100 * (current_value - start_value), target_value - start_value)))::integer
        END AS percent
        """

    init(row: Row) throws(PostgresError) {
        goal = try HealthGoal(row: row)
        percent = try row.decode("percent")
        createdAt = try row.decode("created_at")
        derivedThrough = try row.decode("derived_through")
    }

    /// Whether progress comes of readings, and may still.
    var isDerived: Bool { goal.metric != nil && goal.isOpen }
}

/// Where a goal stands by the calendar of its place.
enum GoalState: Sendable {
    case upcoming, active, overdue, completed, abandoned
}

extension HealthGoal {
    /// Neither completed nor abandoned.
    var isOpen: Bool { status == .active || status == .paused }

    func state(at now: Instant, by zones: TimeZoneDatabase) -> GoalState {
        // A zone that the tz database does not have any more is taken for UTC.
        let today = (zones.zone(timeZone) ?? .utc).date(at: now)
        switch status {
        case .completed: return .completed
        case .abandoned: return .abandoned
        case .active, .paused:
            if today < startsOn { return .upcoming }
            return targetDate.map { $0 < today } ?? false ? .overdue : .active
        }
    }

    /// When its first day begins.
    func start(by zones: TimeZoneDatabase) -> Instant { (zones.zone(timeZone) ?? .utc).instant(of: startsOn) }
}
