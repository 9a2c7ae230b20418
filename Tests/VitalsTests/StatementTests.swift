internal import Application
internal import FoundationEssentials
internal import Postgres
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `The statements of Vitals` {
    @Test func `run on the migrated schema as the service's role, and do what they say`() async throws {
        let catalogue = try Self.catalogue() + JobStatements.catalogue(in: "vitals")

        try await withVitals { _, postgres in try await catalogue.expectSound(on: postgres) }
    }

    @Test func `are all in the catalogue`() throws {
        let shared = try StatementSources("Libraries/Application")

        try StatementSources("Services/Vitals").expectComplete(Self.catalogue(), with: [shared])
    }

    private static func catalogue() throws -> [CataloguedStatement] {
        let id = UUID()
        let user = UserID(id)
        let moment = Instant(microsecondsSinceEpoch: 1_800_000_000_000_000)
        let day = CivilDate(year: 2026, month: 11, day: 25)
        let one = Numeric(1)
        let period = try Period(start: moment, end: nil)
        let reading = NewObservation(
            code: try LOINCCode("8867-4"),
            measurement: .quantity(Quantity(value: try DecimalNumber("60"), unit: try UCUMUnit("/min"))), effectiveAt: moment,
            utcOffset: try UTCOffset(minutes: 0), source: try ObservationSource("watch"), device: nil,
            sequence: try SequenceNumber(1))
        let columns = try ObservationColumns([reading])
        let device = NewDevice(
            kind: .watch, platform: try .platform("platform"), name: try .name("name"), serialNumber: try .serialNumber("1"))
        let metric = try MetricName("ecg")
        let alert = HealthAlert(id: id, type: .threshold, severity: .info, title: "title", triggeredAt: moment)
        let medication = Medication(id: id, name: "name", dosage: "dosage", startsOn: day)
        let goal = HealthGoal(id: id, goalType: .weight, title: "title", unit: "kg", targetValue: one, startsOn: day)
        let milestone = HealthGoalMilestone(id: id, goalID: id, position: 1, title: "title", targetValue: one)
        let progress = HealthGoalProgress(id: id, goalID: id, value: one, recordedAt: moment)
        let record = PatientRecord(id: id, recordType: .condition, title: "title", recordedAt: moment)
        let prediction = Prediction(
            id: id, predictionType: .heartRisk, model: "model", modelVersion: "1", features: JSONB("{}"), riskScore: one,
            riskLevel: .low, predictedAt: moment)
        let interaction = DrugInteraction("a", "b", .minor, mechanism: "m", effect: "e", management: "m", source: "s")

        return [
            .init(.isRevoked(session: id, of: id)),
            .init(.hold([id], of: user)),
            .init(.insert(columns, from: [id], of: user)),
            .init(.ids(of: columns, user)),
            .init(.list(reading.code, of: user, in: period, after: .init(effectiveAt: moment, id: .least), limit: 1)),
            .init(.latest(of: user)),
            .init(.insert(device, as: .make(), of: user, atMost: 1)),
            .init(.find(withSerialNumber: device.serialNumber, of: user)),
            .init(Statement<Device>.list(of: user)),
            .init(.insert([Sample(at: moment, sequence: try SequenceNumber(1), value: 1)], metric, of: .make(), user)),
            .init(.find(.make(), of: user)),
            .init(.list(metric, of: .make(), user, after: .init(at: moment, sequence: 1), before: moment, limit: 1)),
            .init(.insert(alert, of: user)),
            .init(.replace(alert, of: user)),
            .init(.insert(medication, of: user)),
            .init(.replace(medication, of: user)),
            .init(.insert(goal, of: user)),
            .init(.replace(goal, of: user)),
            .init(.insert(milestone, of: user)),
            .init(.replace(milestone, of: user)),
            .init(.removeMilestone(id, of: user)),
            .init(Statement<HealthGoalMilestone>.find(id, of: user)),
            .init(Statement<HealthGoalMilestone>.list(of: id, of: user, limit: 1)),
            .init(.insert(progress, of: user)),
            .init(.removeProgress(id, of: user)),
            .init(Statement<HealthGoalProgress>.find(id, of: user)),
            .init(Statement<HealthGoalProgress>.list(of: id, of: user, limit: 1)),
            .init(.insert(record, of: user)),
            .init(.replace(record, of: user)),
            .init(.insert(prediction, of: user)),
            .init(.put(interaction)),
            .init(.among(["a"])),
        ] + HealthAlertRepository.statements + MedicationRepository.statements + HealthGoalRepository.statements
            + PatientRecordRepository.statements + PredictionRepository.statements + ErasureStatements.catalogue(in: "vitals")
    }
}
