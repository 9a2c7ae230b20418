internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

extension NewGoal {
    static func parsed(
        _ given: VitalsV1.Goal?, knowsVersion: Bool, zones: TimeZoneDatabase = .system, now: Instant = .now()
    ) throws -> NewGoal {
        guard let given else { throw RPCError.invalid("goal", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.recordID("goal.id", given.id, isKnown: knowsVersion)
        violations.version("goal.version", given.version, isKnown: knowsVersion)
        let kind = violations.value("goal.kind", given.kind, HealthGoal.GoalType.init(_:))
        let title = violations.text("goal.title", given.title, most: 200, isNeeded: true)
        let description = violations.text("goal.description", given.description_p, most: 2_000, isNeeded: false)
        let code = given.code.isEmpty ? nil : violations.value("goal.code", given.code, LOINCCode.init(_:))
        let unit =
            if let code {
                violations.value("goal.unit", given.unit) { text throws(InvalidValue) in try UCUMUnit(wished: text, of: code).text }
            } else { violations.text("goal.unit", given.unit, most: 64, isNeeded: true) }
        let start = given.startValue.isEmpty ? nil : violations.value("goal.start_value", given.startValue, DecimalNumber.init(_:))
        let target = violations.value("goal.target_value", given.targetValue, DecimalNumber.init(_:))
        let direction = violations.value("goal.direction", given.direction, HealthGoal.Direction.init(_:))
        let zone = given.timeZone.isEmpty ? "UTC" : given.timeZone
        let clocks = violations.value("goal.time_zone", zone) { name throws(InvalidValue) in try zones.clocks(name) }
        let startsOn =
            given.startsOn.isEmpty ? (clocks ?? .utc).date(at: now) : violations.value("goal.starts_on", given.startsOn, CivilDate.init(checking:))
        let dueOn = given.dueOn.isEmpty ? nil : violations.value("goal.due_on", given.dueOn, CivilDate.init(checking:))
        if let startsOn, let dueOn { violations.check(startsOn <= dueOn, "goal.due_on", "It is before the first day.") }
        violations.check(given.state == .unspecified, "goal.state", "The service sets it.")
        violations.check(given.currentValue.isEmpty, "goal.current_value", "The service sets it.")
        let values = try violations.complete(id, kind, title, unit, target, direction, startsOn)
        let goal = HealthGoal(
            id: values.0, goalType: values.1, title: values.2, description: description.flatMap { $0.isEmpty ? nil : $0 }, metric: code?.text,
            unit: values.3, startValue: start?.numeric, targetValue: values.4.numeric, direction: values.5, startsOn: values.6, targetDate: dueOn,
            version: max(1, given.version), timeZone: zone)
        return NewGoal(goal: goal, saysStart: !given.startsOn.isEmpty)
    }
}

extension FieldViolations {
    /// The caller's own id, or one that is made unless it must be known.
    mutating func recordID(_ field: String, _ given: String, isKnown: Bool) -> UUID? {
        given.isEmpty && !isKnown ? UUIDv7.make() : value(field, given, UUID.init(checking:))
    }

    /// A version that is known, or none in what is new.
    mutating func version(_ field: String, _ given: Int64, isKnown: Bool) {
        check(isKnown ? given > 0 : given == 0, field, isKnown ? "A version is one or more." : "The service sets it.")
    }
}

extension HealthGoalMilestone {
    static func parsed(_ given: VitalsV1.Milestone?) throws -> HealthGoalMilestone {
        guard let given else { throw RPCError.invalid("milestone", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.recordID("milestone.id", given.id, isKnown: false)
        let goal = violations.value("milestone.goal_id", given.goalId, UUID.init(checking:))
        violations.check(
            (1...GoalStore.maxMilestones).contains(given.position), "milestone.position", "It is 1 to \(GoalStore.maxMilestones).")
        let title = violations.text("milestone.title", given.title, most: 200, isNeeded: true)
        let target = violations.value("milestone.target_value", given.targetValue, DecimalNumber.init(_:))
        let dueOn = given.dueOn.isEmpty ? nil : violations.value("milestone.due_on", given.dueOn, CivilDate.init(checking:))
        let values = try violations.complete(id, goal, title, target)
        return HealthGoalMilestone(
            id: values.0, goalID: values.1, position: given.position, title: values.2, targetValue: values.3.numeric, targetDate: dueOn)
    }
}

extension HealthGoalProgress {
    /// An entry by hand, and whether it is of now because the caller did not say when.
    static func parsed(_ given: VitalsV1.ProgressEntry?, now: Instant = .now()) throws -> (entry: HealthGoalProgress, isNow: Bool) {
        guard let given else { throw RPCError.invalid("entry", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.recordID("entry.id", given.id, isKnown: false)
        let goal = violations.value("entry.goal_id", given.goalId, UUID.init(checking:))
        let number = violations.value("entry.value", given.value, DecimalNumber.init(_:))
        let at = violations.optional("entry.at", given.at) { at throws(InvalidValue) in try Instant(measuredAt: at, now: now) }
        let note = violations.text("entry.note", given.note, most: 2_000, isNeeded: false)
        violations.check(given.observationId.isEmpty, "entry.observation_id", "The service sets it.")
        let values = try violations.complete(id, goal, number)
        let entry = HealthGoalProgress(
            id: values.0, goalID: values.1, value: values.2.numeric, note: note.flatMap { $0.isEmpty ? nil : $0 }, recordedAt: at ?? now)
        return (entry, given.at == nil)
    }
}

/// What a caller asks of `ListProgress`.
struct ProgressList {
    let goal: UUID
    let size: Int
    let place: (at: Instant, id: UUID)?

    init(_ request: VitalsV1.ListProgressRequest) throws(RPCError) {
        var violations = FieldViolations()
        let goal = violations.value("goal_id", request.goalId, UUID.init(checking:))
        let size = violations.pageSize(request.pageSize, usual: 100, most: 500)
        (self.goal, self.size) = try violations.complete(goal, size)
        place = try PageToken.place(request.pageToken, of: Self.query(self.goal))
    }

    private static func query(_ goal: UUID) -> [String] { ["progress", goal.uuidString] }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [HealthGoalProgress]) -> VitalsV1.ListProgressResponse {
        let (page, next) = PageToken.page(read, of: size, telling: { VitalsV1.ProgressEntry($0) }) {
            PageToken(of: Self.query(goal), behind: $0.recordedAt, $0.id)
        }
        return VitalsV1.ListProgressResponse(entries: page, nextPageToken: next)
    }
}

extension VitalsV1.Goal {
    init(_ known: KnownGoal, at now: Instant, by zones: TimeZoneDatabase) {
        let goal = known.goal
        self.init(
            id: goal.id.text, version: goal.version, kind: .init(goal.goalType), title: goal.title,
            description_p: goal.description ?? "", code: goal.metric ?? "", unit: goal.unit, startValue: goal.startValue?.text ?? "",
            targetValue: goal.targetValue.text, direction: .init(goal.direction), startsOn: goal.startsOn.description,
            dueOn: goal.targetDate?.description ?? "", timeZone: goal.timeZone, state: .init(goal.state(at: now, by: zones)),
            currentValue: goal.currentValue?.text ?? "", percent: known.percent, completedAt: goal.completedAt.map { .init($0) },
            createdAt: .init(known.createdAt))
    }
}

extension VitalsV1.Milestone {
    init(_ milestone: HealthGoalMilestone) {
        self.init(
            id: milestone.id.text, goalId: milestone.goalID.text, position: milestone.position,
            title: milestone.title, targetValue: milestone.targetValue.text, dueOn: milestone.targetDate?.description ?? "",
            reachedAt: milestone.reachedAt.map { .init($0) })
    }
}

extension VitalsV1.ProgressEntry {
    init(_ entry: HealthGoalProgress) {
        self.init(
            id: entry.id.text, goalId: entry.goalID.text, value: entry.value.text, at: .init(entry.recordedAt),
            note: entry.note ?? "", observationId: entry.vitalID?.text ?? "")
    }
}
