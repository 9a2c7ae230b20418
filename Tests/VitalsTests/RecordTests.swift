internal import Application
internal import Foundation
internal import Postgres
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

/// Each table's record is what was put in, and nobody else's.
@Suite struct `The records` {
    private func withPeople(_ body: (Postgres, _ ada: UserID, _ bob: UserID) async throws -> Void) async throws {
        try await withVitals { _, postgres in try await body(postgres, UserID(UUIDv7.make()), UserID(UUIDv7.make())) }
    }

    @Test func `of health alerts are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = HealthAlertRepository(postgres: postgres)
            let record = HealthAlert(
                id: UUIDv7.make(), type: .threshold, severity: .info, title: "title",
                triggeredAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
        }
    }

    @Test func `of medications are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = MedicationRepository(postgres: postgres)
            var record = Medication(
                id: UUIDv7.make(), name: "name", dosage: "dosage",
                startsOn: CivilDate(year: 2026, month: 11, day: 25))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            #expect(try await records.replace(record, of: ada) == false)
            record.version += 1
            #expect(try await records.find(record.id, of: ada) == record)
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of user health goals are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = HealthGoalRepository(postgres: postgres)
            var record = HealthGoal(
                id: UUIDv7.make(), goalType: .weight, title: "title", unit: "unit",
                targetValue: try #require(Numeric("5")), startsOn: CivilDate(year: 2026, month: 11, day: 25))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            #expect(try await records.replace(record, of: ada) == false)
            record.version += 1
            #expect(try await records.find(record.id, of: ada) == record)
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of health goal milestones are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = HealthGoalMilestoneRepository(postgres: postgres)
            let goal = HealthGoal(
                id: UUIDv7.make(), goalType: .steps, title: "title", unit: "1", targetValue: try #require(Numeric("5")),
                startsOn: CivilDate(year: 2026, month: 11, day: 25))
            try await HealthGoalRepository(postgres: postgres).insert(goal, of: ada)
            let record = HealthGoalMilestone(
                id: UUIDv7.make(), goalID: goal.id, position: 1, title: "title",
                targetValue: try #require(Numeric("5")))

            try await records.insert(record, of: ada)

            #expect(try await records.find(record.id, of: ada) == record)
            #expect(try await records.find(record.id, of: bob) == nil)
            #expect(try await records.list(of: goal.id, of: ada, limit: 10) == [record])
            #expect(try await records.list(of: goal.id, of: bob, limit: 10) == [])
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            #expect(try await records.remove(record.id, of: bob) == false)
            #expect(try await records.remove(record.id, of: ada))
        }
    }

    @Test func `of health goal progress are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = HealthGoalProgressRepository(postgres: postgres)
            let goal = HealthGoal(
                id: UUIDv7.make(), goalType: .steps, title: "title", unit: "1", targetValue: try #require(Numeric("5")),
                startsOn: CivilDate(year: 2026, month: 11, day: 25))
            try await HealthGoalRepository(postgres: postgres).insert(goal, of: ada)
            let record = HealthGoalProgress(
                id: UUIDv7.make(), goalID: goal.id, value: try #require(Numeric("5")),
                recordedAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.insert(record, of: ada)

            #expect(try await records.find(record.id, of: ada) == record)
            #expect(try await records.find(record.id, of: bob) == nil)
            #expect(try await records.list(of: goal.id, of: ada, limit: 10) == [record])
            #expect(try await records.list(of: goal.id, of: bob, limit: 10) == [])
            #expect(try await records.remove(record.id, of: bob) == false)
            #expect(try await records.remove(record.id, of: ada))
        }
    }

    @Test func `of patient records are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = PatientRecordRepository(postgres: postgres)
            var record = PatientRecord(
                id: UUIDv7.make(), recordType: .condition, title: "title",
                recordedAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
            #expect(try await records.replace(record, of: bob) == false)
            #expect(try await records.replace(record, of: ada))
            #expect(try await records.replace(record, of: ada) == false)
            record.version += 1
            #expect(try await records.find(record.id, of: ada) == record)
            try await records.expectRemovable(record.id, of: ada, notBy: bob)
        }
    }

    @Test func `of prediction history are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = PredictionRepository(postgres: postgres)
            let record = Prediction(
                id: UUIDv7.make(), predictionType: .heartRisk, model: "model", modelVersion: "model version",
                features: JSONB(#"{"age": 61}"#), riskScore: try #require(Numeric("0.50000")), riskLevel: .low,
                predictedAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
        }
    }

    @Test func `of drug interactions are one a pair, whichever drug is named first`() async throws {
        try await withPeople { postgres, _, _ in
            let interactions = DrugInteractionRepository(postgres: postgres)
            let drugs = ["Warfarin", "Ibuprofen", "Metoprolol"].map { "\($0)-\(UUIDv7.make().uuidString)" }
            let first = DrugInteraction(
                drugs[0], drugs[1], .moderate, mechanism: "m", effect: "e", management: "a", source: "s")
            let second = DrugInteraction(
                drugs[1], drugs[0], .major, mechanism: "m", effect: "e", management: "a", source: "s")

            try await interactions.put(first)
            try await interactions.put(second)

            #expect(try await interactions.among(drugs) == [second])
            #expect(try await interactions.among([drugs[0], drugs[2]]) == [])
        }
    }
}
