/// A goal as a caller gives it.
struct NewGoal: Sendable {
    let goal: HealthGoal
    /// Whether the caller said its first day.
    let saysStart: Bool

    /// Whether a goal is what a call like this made, or makes: but for what the service sets.
    func saysTheSame(as known: HealthGoal) -> Bool { over(known) == known }

    /// The known one with what this says of it.
    func over(_ known: HealthGoal) -> HealthGoal {
        var goal = goal
        (goal.version, goal.status, goal.completedAt, goal.currentValue) = (known.version, known.status, known.completedAt, known.currentValue)
        if !saysStart { goal.startsOn = known.startsOn }
        return goal
    }
}
