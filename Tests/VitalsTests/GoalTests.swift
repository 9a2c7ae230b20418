internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

private func withGoals(_ body: (GoalsService, VitalsService, Postgres) async throws -> Void) async throws {
    try await withVitals { vitals, postgres in
        try await body(GoalsService(goals: GoalStore(postgres: postgres)), vitals, postgres)
    }
}

extension VitalsV1.Goal {
    fileprivate static func weight(
        id: String = "", start: String = "90", target: String = "80", from: String = "2026-01-01", due: String = "", zone: String = ""
    ) -> VitalsV1.Goal {
        VitalsV1.Goal(
            id: id, kind: .weight, title: "Lighter", code: "29463-7", unit: "kg", startValue: start, targetValue: target, direction: .decrease,
            startsOn: from, dueOn: due, timeZone: zone)
    }
}

extension VitalsV1.Observation {
    fileprivate static func weight(_ value: String, day: Int, unit: String = "kg", sequence: Int? = nil) -> VitalsV1.Observation {
        VitalsV1.Observation(
            code: "29463-7", quantity: .init(value: value, unit: unit), effectiveAt: .init(morning - .seconds(86_400 * (40 - day))), source: "scale",
            sequence: Int64(sequence ?? day))
    }
}

extension GoalsService {
    @discardableResult
    fileprivate func create(_ goal: VitalsV1.Goal, as caller: Caller) async throws -> VitalsV1.Goal {
        try #require(try await createGoal(.init(goal: goal), context: caller.context).goal)
    }

    fileprivate func goal(_ id: String, as caller: Caller) async throws -> VitalsV1.Goal {
        try #require(try await getGoal(.init(goalId: id), context: caller.context).goal)
    }

    /// All progress, as readings with their values and times, whatever the ids of the entries.
    fileprivate func progress(_ goal: String, as caller: Caller) async throws -> [[String]] {
        var request = VitalsV1.ListProgressRequest(goalId: goal, pageSize: 7)
        var all: [VitalsV1.ProgressEntry] = []
        repeat {
            let page = try await listProgress(request, context: caller.context)
            all += page.entries
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        #expect(zip(all, all.dropFirst()).allSatisfy { ($0.at?.seconds ?? 0) >= ($1.at?.seconds ?? 0) })
        return `A goal`.sorted(all.map { `A goal`.line($0.observationId, $0.value, $0.at) })
    }
}

@Suite struct `A goal` {
    fileprivate static func line(_ reading: String, _ value: String, _ at: GoogleProtobuf.Timestamp?) -> [String] {
        let seconds: Int64 = at?.seconds ?? 0
        return [reading, value, String(seconds)]
    }

    fileprivate static func sorted(_ lines: [[String]]) -> [[String]] {
        lines.sorted { (left: [String], right: [String]) -> Bool in left.joined(separator: " ") < right.joined(separator: " ") }
    }

    @Test func `has its progress listed in pages that fit into an answer`() throws {
        let goal = UUID()
        let entries = (0..<500).map { number in
            HealthGoalProgress(
                id: UUIDv7.make(), goalID: goal, value: Numeric(1), note: String(repeating: "😀", count: 2_000),
                recordedAt: morning - .seconds(number))
        }

        let page = try ProgressList(.init(goalId: goal.uuidString, pageSize: 500)).page(entries)
        let rest = try ProgressList(.init(goalId: goal.uuidString, pageSize: 500, pageToken: page.nextPageToken))

        #expect(page.entries.map(\.id) == entries.prefix(page.entries.count).map { $0.id.text } && page.entries.count < 400)
        #expect(rest.place?.id == entries[page.entries.count - 1].id)
    }

    @Test func `is made once by a call that is made again, and not another by its id`() async throws {
        try await withGoals { goals, _, _ in
            let (ada, bob) = (Caller(), Caller())
            let id = UUID().uuidString.lowercased()
            var open = VitalsV1.Goal.weight(id: id)
            open.startsOn = ""
            let made = try await goals.create(open, as: ada)

            #expect(made.version == 1 && made.state == .active && made.timeZone == "UTC" && !made.startsOn.isEmpty)
            #expect(try await goals.create(open, as: ada) == made)
            let zero = VitalsV1.Goal.weight(id: UUID().uuidString.lowercased(), start: "-1", target: "-0.0")
            let nothing = try await goals.create(zero, as: ada)
            #expect(try await goals.create(zero, as: ada) == nothing)
            await expect(.alreadyExists) { try await goals.create(.weight(id: id, target: "79"), as: ada) }
            await expect(.notFound) { try await goals.goal(id, as: bob) }
            #expect(try await goals.create(.weight(id: id), as: bob).id == id)
        }
    }

    @Test func `is listed before those that were made earlier, whatever ids their callers chose`() async throws {
        try await withGoals { goals, _, _ in
            let ada = Caller()
            let ids = ["2", "f", "0", "9"].map { "\($0)0000000-0000-4000-8000-000000000000" }
            for id in ids { try await goals.create(.weight(id: id), as: ada) }
            let first = try await goals.listGoals(.init(pageSize: 3), context: ada.context)
            let rest = try await goals.listGoals(.init(pageSize: 3, pageToken: first.nextPageToken), context: ada.context)

            #expect((first.goals + rest.goals).map(\.id) == ids.reversed())
            #expect(first.goals.count == 3 && rest.nextPageToken.isEmpty)
        }
    }

    @Test func `is replaced by version, and ends in one way`() async throws {
        try await withGoals { goals, _, _ in
            let ada = Caller()
            var goal = try await goals.create(.weight(), as: ada)
            let id = goal.id
            (goal.title, goal.state) = ("Light", .unspecified)

            let first = try await goals.updateGoal(.init(goal: goal), context: ada.context).goal
            let again = try await goals.updateGoal(.init(goal: goal), context: ada.context).goal
            var old = goal
            old.title = "Heavy"
            let late = old
            await expect(.aborted) { try await goals.updateGoal(.init(goal: late), context: ada.context) }
            old.version = .max
            let last = old
            await expect(.aborted) { try await goals.updateGoal(.init(goal: last), context: ada.context) }
            old.version = 2
            old.unit = "g"
            let other = old
            await expect(.alreadyExists) { try await goals.updateGoal(.init(goal: other), context: ada.context) }
            let done = try await goals.completeGoal(.init(goalId: id), context: ada.context).goal
            #expect(try await goals.completeGoal(.init(goalId: id), context: ada.context).goal == done)
            await expect(.failedPrecondition) { try await goals.abandonGoal(.init(goalId: id), context: ada.context) }
            await expect(.failedPrecondition) {
                try await goals.recordProgress(.init(entry: .init(goalId: id, value: "85")), context: ada.context)
            }
            let given = try await goals.create(.weight(), as: ada)
            #expect(try await goals.abandonGoal(.init(goalId: given.id), context: ada.context).goal?.state == .abandoned)

            #expect(first?.version == 2 && again == first)
            #expect(done?.state == .completed && done?.completedAt != nil)
            let open = try await goals.listGoals(.init(openOnly: true), context: ada.context).goals
            let all = try await goals.listGoals(.init(pageSize: 1), context: ada.context)
            #expect(open.isEmpty && all.goals.map(\.id) == [given.id] && !all.nextPageToken.isEmpty)
        }
    }

    @Test func `that is to stay as it is has no milestones, nor has one that becomes so`() async throws {
        try await withGoals { goals, _, _ in
            let ada = Caller()
            var goal = try await goals.create(.weight(), as: ada)
            let id = goal.id
            let milestone = try #require(try await goals.setMilestone(
                .init(milestone: .init(goalId: id, position: 1, title: "Half", targetValue: "85")), context: ada.context).milestone)
            (goal.direction, goal.state) = (.maintain, .unspecified)
            let kept = goal

            await expect(.failedPrecondition) { try await goals.updateGoal(.init(goal: kept), context: ada.context) }
            _ = try await goals.removeMilestone(.init(goalId: id, milestoneId: milestone.id), context: ada.context)
            let changed = try await goals.updateGoal(.init(goal: kept), context: ada.context).goal

            #expect(changed?.direction == .maintain && changed?.version == 2 && changed?.percent == nil)
            await expect(.failedPrecondition) {
                try await goals.setMilestone(
                    .init(milestone: .init(goalId: id, position: 1, title: "Half", targetValue: "85")), context: ada.context)
            }
        }
    }

    @Test func `is overdue when its last day is over where the person is`() throws {
        let goal = HealthGoal(
            id: UUID(), goalType: .steps, title: "t", unit: "1", targetValue: Numeric(1), startsOn: CivilDate(year: 2026, month: 3, day: 28),
            targetDate: CivilDate(year: 2026, month: 3, day: 29), timeZone: "Pacific/Auckland")
        func state(_ time: String) throws -> GoalState { goal.state(at: try #require(Instant(rfc3339: time)), by: .system) }

        // Auckland is 13 hours ahead of UTC then.
        #expect(try state("2026-03-27T10:59:59Z") == .upcoming)
        #expect(try state("2026-03-27T11:00:00Z") == .active)
        #expect(try state("2026-03-29T10:59:59Z") == .active)
        #expect(try state("2026-03-29T11:00:00Z") == .overdue)
    }

    @Test func `comes nearer by readings, in whatever unit, and by entries, and reaches its milestones`() async throws {
        try await withGoals { goals, vitals, _ in
            let ada = Caller()
            try await vitals.record([.weight("88.0", day: 1), .weight("99", day: -200, sequence: 900)], as: ada)
            let goal = try await goals.create(.weight(), as: ada)
            #expect(goal.currentValue == "88.0" && goal.percent == 20)
            for (position, target) in [(1, "87"), (2, "84.5"), (3, "80")] as [(Int32, String)] {
                _ = try await goals.setMilestone(
                    .init(milestone: .init(goalId: goal.id, position: position, title: "m", targetValue: target)), context: ada.context)
            }
            try await vitals.record([.weight("190.0", day: 5, unit: "[lb_av]"), .weight("84.0", day: 9)], as: ada)

            let near = try await goals.getGoal(.init(goalId: goal.id), context: ada.context)
            #expect(near.goal?.currentValue == "84.0" && near.goal?.percent == 60)
            #expect(near.goal?.version == 1)
            #expect(
                near.milestones.map(\.reachedAt) == [
                    VitalsV1.Observation.weight("", day: 5).effectiveAt, VitalsV1.Observation.weight("", day: 9).effectiveAt, nil,
                ])
            let entry = VitalsV1.ProgressEntry(id: UUID().uuidString.lowercased(), goalId: goal.id, value: "79.5", note: "At the gym")
            let recorded = try await goals.recordProgress(.init(entry: entry), context: ada.context)
            let again = try await goals.recordProgress(.init(entry: entry), context: ada.context)
            #expect(recorded.goal?.percent == 100 && again == recorded)
            var other = entry
            other.value = "70"
            let another = other
            await expect(.alreadyExists) { try await goals.recordProgress(.init(entry: another), context: ada.context) }
            #expect(try await goals.getGoal(.init(goalId: goal.id), context: ada.context).milestones.last?.reachedAt == recorded.entry?.at)
            _ = try await goals.removeProgress(.init(goalId: goal.id, entryId: entry.id), context: ada.context)
            let back = try await goals.getGoal(.init(goalId: goal.id), context: ada.context)
            #expect(back.goal?.currentValue == "84.0" && back.milestones.last?.reachedAt == nil)
        }
    }

    @Test func `that is nearly reached is not at a hundred percent`() async throws {
        try await withGoals { goals, _, _ in
            let ada = Caller()
            let goal = try await goals.create(
                .init(kind: .steps, title: "Far", unit: "1", startValue: "0", targetValue: "1000", direction: .increase, startsOn: "2026-01-01"), as: ada)

            let near = try await goals.recordProgress(.init(entry: .init(goalId: goal.id, value: "999.9999999999999999")), context: ada.context)
            let back = try await goals.recordProgress(.init(entry: .init(goalId: goal.id, value: "-5")), context: ada.context)

            #expect(near.goal?.percent == 99 && back.goal?.percent == 0)
        }
    }

    @Test func `of a part of compound readings has that part's progress`() async throws {
        try await withGoals { goals, vitals, _ in
            let ada = Caller()
            try await vitals.record([.bloodPressure("140", "90", sequence: 1)], as: ada)
            let goal = try await goals.create(
                VitalsV1.Goal(
                    kind: .bloodPressure, title: "Lower", code: "8480-6", unit: "mm[Hg]", startValue: "150", targetValue: "120",
                    direction: .decrease, startsOn: "2026-01-01"), as: ada)
            #expect(goal.currentValue == "140" && goal.percent == 33)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `has the progress that its readings make, however they were recorded, corrected and retracted`(seed: UInt64) async throws {
        try await withGoals { goals, vitals, postgres in
            let ada = Caller()
            var random = SeededGenerator(seed: seed)
            var known: [(id: String, version: Int64)] = []
            let goal = try await goals.create(.weight(from: "2026-01-20"), as: ada)
            for round in 0..<25 {
                let batch = (0..<Int.random(in: 0...4, using: &random)).map { number in
                    VitalsV1.Observation.weight(
                        "\(Int.random(in: 60...120, using: &random)).\(number)", day: Int.random(in: -5...39, using: &random),
                        unit: Bool.random(using: &random) ? "kg" : "[lb_av]", sequence: round * 10 + number)
                }
                if !batch.isEmpty { known += try await vitals.record(batch, as: ada).ids.map { ($0, 1) } }
                if let index = known.indices.randomElement(using: &random), Bool.random(using: &random) {
                    _ = try await vitals.correctObservation(
                        .init(
                            observationId: known[index].id, expectedVersion: known[index].version,
                            quantity: .init(value: "\(round)", unit: "kg"),
                            effectiveAt: .init(morning - .seconds(Int64.random(in: 0...50, using: &random) * 86_400)), reason: "r"),
                        context: ada.context)
                    known[index].version += 1
                }
                if let index = known.indices.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
                    let gone = known.remove(at: index)
                    _ = try await vitals.retractObservation(
                        .init(observationId: gone.id, expectedVersion: gone.version, reason: "r"), context: ada.context)
                }
                guard Bool.random(using: &random) else { continue }

                let derived = try await goals.progress(goal.id, as: ada)
                let value = try await goals.goal(goal.id, as: ada).currentValue
                let id = try #require(UUID(uuidString: goal.id))
                _ = try await postgres.transaction(identity: .user(ada.id)) { transaction in
                    try await transaction.execute(.forgetDerived(of: id, UserID(ada.id)))
                }
                let recomputed = try await goals.progress(goal.id, as: ada)

                #expect(derived == recomputed, "seed \(seed), round \(round)")
                #expect(try await goals.goal(goal.id, as: ada).currentValue == value, "seed \(seed), round \(round)")
                let readings = try await vitals.all(
                    .init(code: "29463-7", startAt: .init(try #require(Instant(rfc3339: "2026-01-20T00:00:00Z"))), unit: "kg"), as: ada)
                let expected = readings.map { Self.line($0.id, $0.converted?.value ?? "", $0.effectiveAt) }
                #expect(derived == Self.sorted(expected), "seed \(seed), round \(round)")
            }
        }
    }

    @Test func `is refused with what is wrong about it`() async throws {
        try await withGoals { goals, _, _ in
            let ada = Caller()
            await expect(
                .invalidArgument, fields: ["goal.kind", "goal.title", "goal.unit", "goal.target_value", "goal.direction"]
            ) { try await goals.create(.init(), as: ada) }
            await expect(.invalidArgument, fields: ["goal.due_on"]) { try await goals.create(.weight(due: "2025-12-31"), as: ada) }
            await expect(.invalidArgument, fields: ["goal.time_zone"]) { try await goals.create(.weight(zone: "Mars/Olympus"), as: ada) }
            let maintained = try await goals.create(
                .init(kind: .other, title: "t", unit: "x", targetValue: "1", direction: .maintain), as: ada)
            await expect(.failedPrecondition) {
                try await goals.setMilestone(
                    .init(milestone: .init(goalId: maintained.id, position: 1, title: "m", targetValue: "1")), context: ada.context)
            }
            let goal = try await goals.create(.weight(), as: ada)
            _ = try await goals.setMilestone(
                .init(milestone: .init(goalId: goal.id, position: 1, title: "m", targetValue: "85")), context: ada.context)
            await expect(.alreadyExists) {
                try await goals.setMilestone(
                    .init(milestone: .init(goalId: goal.id, position: 1, title: "n", targetValue: "84")), context: ada.context)
            }
        }
    }
}
