internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// The methods of `heartguard.vitals.v1.GoalsService`: each parses its request, does one thing and answers.
struct GoalsService: Sendable {
    let goals: GoalStore

    private func form(_ known: KnownGoal) -> VitalsV1.Goal { .init(known, at: .now(), by: goals.zones) }
}

extension GoalsService: VitalsV1.GoalsServiceProtocol {
    func createGoal(_ request: VitalsV1.CreateGoalRequest, context: RPCContext) async throws -> VitalsV1.CreateGoalResponse {
        let goal = try NewGoal.parsed(request.goal, knowsVersion: false, zones: goals.zones)
        return VitalsV1.CreateGoalResponse(goal: form(try await goals.create(goal, of: try context.userID)))
    }

    func getGoal(_ request: VitalsV1.GetGoalRequest, context: RPCContext) async throws -> VitalsV1.GetGoalResponse {
        let (goal, milestones) = try await goals.find(try .init(named: "goal_id", request.goalId), of: try context.userID)
        return VitalsV1.GetGoalResponse(goal: form(goal), milestones: milestones.map { .init($0) })
    }

    func listGoals(_ request: VitalsV1.ListGoalsRequest, context: RPCContext) async throws -> VitalsV1.ListGoalsResponse {
        let list = try OpenList("goals", openOnly: request.openOnly, size: request.pageSize, token: request.pageToken)
        let read = try await goals.list(of: try context.userID, openOnly: list.openOnly, behind: list.place, limit: list.size + 1)
        let (page, next) = list.page(read) { ($0.createdAt, $0.goal.id) }
        return VitalsV1.ListGoalsResponse(goals: page.map(form), nextPageToken: next)
    }

    func updateGoal(_ request: VitalsV1.UpdateGoalRequest, context: RPCContext) async throws -> VitalsV1.UpdateGoalResponse {
        let goal = try NewGoal.parsed(request.goal, knowsVersion: true, zones: goals.zones)
        return VitalsV1.UpdateGoalResponse(goal: form(try await goals.replace(goal, of: try context.userID)))
    }

    func completeGoal(_ request: VitalsV1.CompleteGoalRequest, context: RPCContext) async throws -> VitalsV1.CompleteGoalResponse {
        let goal = try await goals.end(try .init(named: "goal_id", request.goalId), as: .completed, of: try context.userID)
        return VitalsV1.CompleteGoalResponse(goal: form(goal))
    }

    func abandonGoal(_ request: VitalsV1.AbandonGoalRequest, context: RPCContext) async throws -> VitalsV1.AbandonGoalResponse {
        let goal = try await goals.end(try .init(named: "goal_id", request.goalId), as: .abandoned, of: try context.userID)
        return VitalsV1.AbandonGoalResponse(goal: form(goal))
    }

    func setMilestone(_ request: VitalsV1.SetMilestoneRequest, context: RPCContext) async throws -> VitalsV1.SetMilestoneResponse {
        let milestone = try await goals.set(try HealthGoalMilestone.parsed(request.milestone), of: try context.userID)
        return VitalsV1.SetMilestoneResponse(milestone: .init(milestone))
    }

    func removeMilestone(
        _ request: VitalsV1.RemoveMilestoneRequest, context: RPCContext
    ) async throws -> VitalsV1.RemoveMilestoneResponse {
        try await goals.removeMilestone(
            try .init(named: "milestone_id", request.milestoneId), from: try .init(named: "goal_id", request.goalId), of: try context.userID)
        return VitalsV1.RemoveMilestoneResponse()
    }

    func recordProgress(_ request: VitalsV1.RecordProgressRequest, context: RPCContext) async throws -> VitalsV1.RecordProgressResponse {
        let given = try HealthGoalProgress.parsed(request.entry)
        let (entry, goal) = try await goals.record(given.entry, isNow: given.isNow, of: try context.userID)
        return VitalsV1.RecordProgressResponse(entry: .init(entry), goal: form(goal))
    }

    func removeProgress(_ request: VitalsV1.RemoveProgressRequest, context: RPCContext) async throws -> VitalsV1.RemoveProgressResponse {
        try await goals.removeProgress(
            try .init(named: "entry_id", request.entryId), from: try .init(named: "goal_id", request.goalId), of: try context.userID)
        return VitalsV1.RemoveProgressResponse()
    }

    func listProgress(_ request: VitalsV1.ListProgressRequest, context: RPCContext) async throws -> VitalsV1.ListProgressResponse {
        let list = try ProgressList(request)
        return list.page(try await goals.progress(of: list.goal, try context.userID, behind: list.place, limit: list.size + 1))
    }
}
