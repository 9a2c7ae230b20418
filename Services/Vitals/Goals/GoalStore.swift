internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What people want to reach, and how far it is. Every statement runs as the person whose it is, and who changes a goal or what belongs to it
/// holds the goal until the commit.
struct GoalStore: Sendable {
    let postgres: Postgres
    var zones = TimeZoneDatabase.system

    static let maxGoals = 200
    static let maxMilestones: Int32 = 100

    /// Makes a goal, or finds it, if it is there and says the same.
    ///
    /// Throws `VitalsError.goalIsAnother`, or `.tooManyGoals`.
    func create(_ new: NewGoal, of user: UserID) async throws -> KnownGoal {
        try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            let (_, insertion, found) = try await transaction.batch(
                .lockQuota(of: user, in: HealthGoalRepository.table), .add(new.goal, of: user, atMost: Self.maxGoals),
                .lockGoal(new.goal.id, of: user))
            guard let known = try found.first() else { throw VitalsError.tooManyGoals }
            guard insertion.rowsAffected == 1 || new.saysTheSame(as: known.goal) else { throw VitalsError.goalIsAnother }
            return try await derived(known, of: user, in: transaction)
        }
    }

    /// A goal with its milestones in their order. Throws `VitalsError.noSuchGoal`.
    func find(_ goal: UUID, of user: UserID) async throws -> (goal: KnownGoal, milestones: [HealthGoalMilestone]) {
        try await withGoal(goal, of: user) { known, transaction in
            (try await derived(known, of: user, in: transaction), try await transaction.rows(.milestones(of: goal, user)))
        }
    }

    /// The newest first, behind a place if there is one; each as the readings make it by now.
    func list(of user: UserID, openOnly: Bool, behind place: (at: Instant, id: UUID)?, limit: Int) async throws -> [KnownGoal] {
        let page = Statement<KnownGoal>.goals(of: user, openOnly: openOnly, behind: place, limit: limit)
        let (position, found) = try await postgres.batch(.position(of: user), page, identity: .user(user.uuid))
        let now = try position.first()?.value ?? 0
        let behind = try found.rows().filter { $0.isDerived && $0.derivedThrough != now }
        guard !behind.isEmpty else { return try found.rows() }
        for goal in behind {
            do { _ = try await find(goal.goal.id, of: user) } catch VitalsError.noSuchGoal {
                // It was erased meanwhile.
            }
        }
        return try await postgres.rows(page, identity: .user(user.uuid))
    }

    /// Puts a goal in the place of the one with its id and version. A second call with the same finds it there.
    ///
    /// Throws `VitalsError.noSuchGoal`, `.goalChanged`, `.goalHasEnded`, `.goalIsAnother` for another code or unit, or `.goalHasNoMilestones` if it
    /// has some and is to stay as it is.
    func replace(_ new: NewGoal, of user: UserID) async throws -> KnownGoal {
        try await withGoal(new.goal.id, of: user) { known, transaction in
            if known.goal.version - 1 == new.goal.version, new.saysTheSame(as: known.goal) { return try await derived(known, of: user, in: transaction) }
            guard known.goal.version == new.goal.version else { throw VitalsError.goalChanged(known.goal.version) }
            guard known.goal.isOpen else { throw VitalsError.goalHasEnded }
            guard known.goal.metric == new.goal.metric, known.goal.unit == new.goal.unit else { throw VitalsError.goalIsAnother }
            let goal = new.over(known.goal)
            if goal.direction == .maintain, try await transaction.first(.milestones(of: goal.id, user)) != nil { throw VitalsError.goalHasNoMilestones }
            try await transaction.execute(.replace(goal, of: user))
            if goal.start(by: zones) != known.goal.start(by: zones) {
                // Other readings are progress now.
                try await transaction.execute(.forgetDerived(of: goal.id, user))
            }
            _ = try await transaction.batch(.settle(goal.id, of: user), .reachMilestones(of: goal.id, user))
            return try await derived(try await lock(goal.id, of: user, in: transaction), of: user, in: transaction)
        }
    }

    /// Ends a goal, with the progress that there is. A second call with the same finds it so.
    ///
    /// Throws `VitalsError.noSuchGoal`, or `.goalHasEnded` if it ended in the other way.
    func end(_ goal: UUID, as status: HealthGoal.Status, of user: UserID) async throws -> KnownGoal {
        try await withGoal(goal, of: user) { known, transaction in
            if known.goal.status == status { return known }
            guard known.goal.isOpen else { throw VitalsError.goalHasEnded }
            var ended = try await derived(known, of: user, in: transaction).goal
            ended.status = status
            ended.completedAt = status == .completed ? .now() : nil
            try await transaction.execute(.replace(ended, of: user))
            return try await lock(goal, of: user, in: transaction)
        }
    }

    /// Sets a milestone, or puts it in the place of the one with its id.
    ///
    /// Throws `VitalsError.noSuchGoal`, `.goalHasNoMilestones`, `.milestoneIsAnother` if another has its position or another goal its id.
    func set(_ milestone: HealthGoalMilestone, of user: UserID) async throws -> HealthGoalMilestone {
        do {
            return try await withGoal(milestone.goalID, of: user) { known, transaction in
                guard known.goal.direction != .maintain else { throw VitalsError.goalHasNoMilestones }
                guard try await transaction.execute(.put(milestone, of: user)) == 1 else { throw VitalsError.milestoneIsAnother }
                try await transaction.execute(.reachMilestones(of: milestone.goalID, user))
                guard let set = try await transaction.first(.find(milestone.id, of: user)) as HealthGoalMilestone? else { throw VitalsError.milestoneIsAnother }
                return set
            }
        } catch let error as PostgresError where error.code == .uniqueViolation {
            throw VitalsError.milestoneIsAnother
        }
    }

    /// Nothing happens if there is none. Throws `VitalsError.noSuchGoal`.
    func removeMilestone(_ milestone: UUID, from goal: UUID, of user: UserID) async throws {
        _ = try await withGoal(goal, of: user) { _, transaction in
            try await transaction.execute(.removeMilestone(milestone, from: goal, of: user))
        }
    }

    /// Enters progress by hand, or finds it, if it is there and says the same.
    ///
    /// Throws `VitalsError.noSuchGoal`, `.goalHasEnded`, or `.progressIsAnother`.
    func record(_ entry: HealthGoalProgress, isNow: Bool, of user: UserID) async throws -> (entry: HealthGoalProgress, goal: KnownGoal) {
        try await withGoal(entry.goalID, of: user) { known, transaction in
            if let kept = try await transaction.first(.find(entry.id, of: user)) as HealthGoalProgress? {
                var same = entry
                if isNow { same.recordedAt = kept.recordedAt }
                guard kept == same else { throw VitalsError.progressIsAnother }
                return (kept, try await derived(known, of: user, in: transaction))
            }
            guard known.goal.isOpen else { throw VitalsError.goalHasEnded }
            try await transaction.execute(.insert(entry, of: user))
            _ = try await transaction.batch(.settle(entry.goalID, of: user), .reachMilestones(of: entry.goalID, user))
            return (entry, try await derived(try await lock(entry.goalID, of: user, in: transaction), of: user, in: transaction))
        }
    }

    /// Nothing happens if there is none by hand. Throws `VitalsError.noSuchGoal`, or `.goalHasEnded`.
    func removeProgress(_ entry: UUID, from goal: UUID, of user: UserID) async throws {
        try await withGoal(goal, of: user) { known, transaction in
            guard known.goal.isOpen else { throw VitalsError.goalHasEnded }
            _ = try await transaction.batch(
                .removeEntry(entry, from: goal, of: user), .settle(goal, of: user), .reachMilestones(of: goal, user))
        }
    }

    /// The newest first, behind a place if there is one. Throws `VitalsError.noSuchGoal`.
    func progress(of goal: UUID, _ user: UserID, behind place: (at: Instant, id: UUID)?, limit: Int) async throws -> [HealthGoalProgress] {
        try await withGoal(goal, of: user) { known, transaction in
            _ = try await derived(known, of: user, in: transaction)
            return try await transaction.rows(.progress(of: goal, user, behind: place, limit: limit))
        }
    }

    /// Holds a goal.
    private func withGoal<Value>(
        _ goal: UUID, of user: UserID, _ body: nonisolated(nonsending) (KnownGoal, Transaction) async throws -> Value
    ) async throws -> Value {
        try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            try await body(try await lock(goal, of: user, in: transaction), transaction)
        }
    }

    private func lock(_ goal: UUID, of user: UserID, in transaction: Transaction) async throws -> KnownGoal {
        guard let known = try await transaction.first(.lockGoal(goal, of: user)) else { throw VitalsError.noSuchGoal }
        return known
    }

    /// The goal with all progress that the person's readings make by now. It is held already.
    private func derived(_ known: KnownGoal, of user: UserID, in transaction: Transaction) async throws -> KnownGoal {
        guard let progress = DerivedProgress(known, by: zones),
            try await progress.derive(known.derivedThrough, of: user, in: transaction)
        else { return known }
        return try await lock(known.goal.id, of: user, in: transaction)
    }
}
