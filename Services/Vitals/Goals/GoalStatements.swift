internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Statement<KnownGoal> {
    static func lockGoal(_ id: UUID, of user: UserID) -> Self {
        .writing("SELECT \(KnownGoal.columns) FROM vitals.user_health_goals WHERE user_id = \(user.uuid) AND id = \(id) FOR UPDATE")
    }

    static func goals(of user: UserID, openOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int) -> Self {
        let rest: Query = if let place { "AND (created_at, id) < (\(place.at), \(place.id))" } else { "" }
        let open: Query = openOnly ? "AND status IN ('active', 'paused')" : ""
        return .reading(
            """
            SELECT \(KnownGoal.columns) FROM vitals.user_health_goals
            WHERE user_id = \(user.uuid) \(open) \(rest) ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """)
    }
}

extension Statement<HealthGoalMilestone> {
    static func milestones(of goal: UUID, _ user: UserID) -> Self {
        .reading(
            """
            SELECT \(HealthGoalMilestone.columns) FROM vitals.health_goal_milestones
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) ORDER BY position
            """)
    }
}

extension Statement<HealthGoalProgress> {
    static func progress(of goal: UUID, _ user: UserID, behind place: (at: Instant, id: UUID)?, limit: Int) -> Self {
        let rest: Query = if let place { "AND (recorded_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(HealthGoalProgress.columns) FROM vitals.health_goal_progress
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) \(rest) ORDER BY recorded_at DESC, id DESC LIMIT \(limit)
            """)
    }
}

extension Statement<Positioned<Observation>> {
    /// Of a code, by itself or as a part, in the order of their changes.
    static func readings(of code: LOINCCode, _ user: UserID, changedBehind position: Int64, limit: Int) -> Self {
        .reading(
            """
            SELECT \(Observation.columns), position FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND position > greatest(\(position), 0) AND (metric = \(code.text) OR components IS NOT NULL)
            ORDER BY position LIMIT \(limit)
            """)
    }
}

extension Statement<Observation> {
    /// Of a code, by itself or as a part, in the order of their ids.
    static func readings(of code: LOINCCode, _ user: UserID, from start: Instant, behind id: ObservationID, limit: Int) -> Self {
        .reading(
            """
            SELECT \(Observation.columns) FROM vitals.vitals
            WHERE user_id = \(user.uuid) AND id > \(id.uuid) AND effective_at >= \(start) AND (metric = \(code.text) OR components IS NOT NULL)
            ORDER BY id LIMIT \(limit)
            """)
    }
}

extension Statement<Void> {
    /// Changes nothing if there is one with its id, or the person has `limit`.
    static func add(_ goal: HealthGoal, of user: UserID, atMost limit: Int) -> Self {
        .writing(
            """
            INSERT INTO vitals.user_health_goals (
                user_id, id, goal_type, title, description, metric, unit, start_value, target_value, direction, starts_on, target_date, time_zone)
            SELECT \(user.uuid), \(goal.id), \(goal.goalType), \(goal.title), \(goal.description), \(goal.metric), \(goal.unit),
                   \(goal.startValue), \(goal.targetValue), \(goal.direction), \(goal.startsOn), \(goal.targetDate), \(goal.timeZone)
            WHERE (SELECT count(*) FROM vitals.user_health_goals WHERE user_id = \(user.uuid)) < \(limit)
            ON CONFLICT (user_id, id) DO NOTHING
            """)
    }

    static func setDerived(through position: Int64, in goal: UUID, of user: UserID) -> Self {
        .writing("UPDATE vitals.user_health_goals SET derived_through = \(position) WHERE user_id = \(user.uuid) AND id = \(goal)")
    }

    /// All progress that comes of readings is to be made anew.
    static func forgetDerived(of goal: UUID, _ user: UserID) -> Self {
        .writing(
            """
            WITH dropped AS (
                DELETE FROM vitals.health_goal_progress WHERE user_id = \(user.uuid) AND goal_id = \(goal) AND vital_id IS NOT NULL
            )
            UPDATE vitals.user_health_goals SET derived_through = NULL WHERE user_id = \(user.uuid) AND id = \(goal)
            """)
    }

    /// The value of a goal is that of its newest progress.
    static func settle(_ goal: UUID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.user_health_goals SET current_value = (
                SELECT p.value FROM vitals.health_goal_progress p
                WHERE p.user_id = \(user.uuid) AND p.goal_id = \(goal) ORDER BY p.recorded_at DESC, p.id DESC LIMIT 1)
            WHERE user_id = \(user.uuid) AND id = \(goal)
            """)
    }

    /// A milestone is reached when progress first is at its target or beyond it.
    static func reachMilestones(of goal: UUID, _ user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_goal_milestones m SET reached_at = r.reached_at
            FROM (
                SELECT n.id, (
                    SELECT min(p.recorded_at) FROM vitals.health_goal_progress p
                    WHERE p.user_id = \(user.uuid) AND p.goal_id = \(goal)
                      AND CASE g.direction WHEN 'increase' THEN p.value >= n.target_value WHEN 'decrease' THEN p.value <= n.target_value END
                ) AS reached_at
                FROM vitals.health_goal_milestones n JOIN vitals.user_health_goals g ON g.user_id = n.user_id AND g.id = n.goal_id
                WHERE n.user_id = \(user.uuid) AND n.goal_id = \(goal)
            ) r
            WHERE m.user_id = \(user.uuid) AND m.id = r.id AND m.reached_at IS DISTINCT FROM r.reached_at
            """)
    }

    static func put(_ milestone: HealthGoalMilestone, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.health_goal_milestones AS known (user_id, id, goal_id, position, title, target_value, target_date)
            VALUES (\(user.uuid), \(milestone.id), \(milestone.goalID), \(milestone.position), \(milestone.title), \(milestone.targetValue),
                    \(milestone.targetDate))
            ON CONFLICT (user_id, id) DO UPDATE SET
                position = excluded.position, title = excluded.title, target_value = excluded.target_value, target_date = excluded.target_date
            WHERE known.goal_id = excluded.goal_id
            """)
    }

    static func removeMilestone(_ milestone: UUID, from goal: UUID, of user: UserID) -> Self {
        .writing(
            "DELETE FROM vitals.health_goal_milestones WHERE user_id = \(user.uuid) AND goal_id = \(goal) AND id = \(milestone)")
    }

    /// By hand.
    static func removeEntry(_ entry: UUID, from goal: UUID, of user: UserID) -> Self {
        .writing(
            """
            DELETE FROM vitals.health_goal_progress
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) AND id = \(entry) AND vital_id IS NULL
            """)
    }

    static func dropDerived(_ readings: [UUID], from goal: UUID, of user: UserID) -> Self {
        .writing(
            """
            DELETE FROM vitals.health_goal_progress
            WHERE user_id = \(user.uuid) AND goal_id = \(goal) AND vital_id = ANY(\(readings))
            """)
    }

    static func putDerived(_ readings: [UUID], values: [Numeric], at times: [Instant], in goal: UUID, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.health_goal_progress AS known (user_id, id, goal_id, value, source, vital_id, recorded_at)
            SELECT \(user.uuid), n.id, \(goal), n.value, 'vitals', n.vital_id, n.at
            FROM unnest(\(readings.map { _ in UUIDv7.make() }), \(readings), \(values), \(times)) AS n (id, vital_id, value, at)
            ON CONFLICT (user_id, goal_id, vital_id) WHERE vital_id IS NOT NULL
            DO UPDATE SET value = excluded.value, recorded_at = excluded.recorded_at
            WHERE known.value IS DISTINCT FROM excluded.value OR known.recorded_at <> excluded.recorded_at
            """,
            tier: .normal)
    }
}
