internal import Application
internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import RPC
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
        let batch = try ObservationRepository.Batch([reading])
        let columns = batch.columns
        let device = NewDevice(
            kind: .watch, platform: try .platform("platform"), name: try .name("name"), serialNumber: try .serialNumber("1"))
        let metric = try MetricName("ecg")
        let series = SeriesKey(user: user, device: .make(), metric: metric)
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

        let place = ReadingPlace(at: moment, id: .least)
        let observation = ObservationID.least
        let criteria = AlertCriteria(
            code: reading.code, component: nil, condition: .above, threshold: DecimalNumber(stored: one),
            clearAt: DecimalNumber(stored: Numeric(0)), unit: try UCUMUnit("/min"), minSamples: 1, minDuration: .zero, cooldown: .zero)
        let newRule = NewAlertRule(id: id, name: "name", criteria: criteria, severity: .info, isEnabled: true)
        let rule = AlertRule(rule: newRule, version: 1, since: moment, judgedUntil: nil, seen: nil, machine: AlertMachine())
        let episode = AlertEpisode(start: place, fire: place, lastFired: nil)
        let evidence = [EvidenceID(observation: observation, version: 1)]
        let quantity = Quantity(value: DecimalNumber(stored: one), unit: try UCUMUnit("/min"))
        let change = ObservationChange(
            measurement: reading.measurement, effectiveAt: moment, utcOffset: reading.utcOffset, status: .corrected, reason: "reason")
        let dose = RecordedDose(id: id, medication: id, scheduledAt: moment, outcome: .taken, at: moment, note: "note")

        return [
            .init(.advanceTimeline(of: user, by: 1)),
            .init(.position(of: user)),
            .init(.observations(of: user, changedBehind: 1, limit: 1)),
            .init(Statement<Positioned<RuleAlert>>.alerts(of: user, changedBehind: 1, limit: 1)),
            .init(.keepVersion(of: observation, user)),
            .init(Statement<Vitals.Observation>.find(observation, of: user)),
            .init(try .change(observation, to: change, of: user)),
            .init(.history(of: observation, behind: 0, limit: 1, user)),
            .init(try .summaries(reading.code, nil, on: LocalDays(first: day, last: day, clocks: nil), of: user)),
            .init(try .summaries(reading.code, reading.code, on: LocalDays(first: day, last: day, clocks: .utc), of: user)),
            .init(
                try .summaries(
                    reading.code, nil, on: LocalDays(first: day, last: day, clocks: .utc), merging: SourceMerge(segmentMinutes: 5, ranking: ["watch"]),
                    of: user)),
            .init(.rules(judging: [reading.code], from: moment, through: moment, of: user)),
            .init(.readings(of: rule, of: user, from: place, limit: 1)),
            .init(.readings(of: rule, of: user, before: place, limit: 1)),
            .init(.readings(evidence, of: user)),
            .init(.openAlert(of: rule, user)),
            .init(.alert(of: rule, user, firedBefore: place)),
            .init(.alert(of: rule, user, firedBy: observation)),
            .init(.alerts(of: rule, user, firedFrom: place)),
            .init(.raise(id, episode, evidence, quantity, nil, by: rule, of: user)),
            .init(.put(episode, evidence, quantity, nil, in: id, isStanding: true, of: user)),
            .init(.withdraw(id, of: user)),
            .init(.keep(AlertMachine(), place, in: rule, of: user)),
            .init(.rule(id, of: user)),
            .init(.rule(id, version: 1, of: user)),
            .init(.standingRules(of: user)),
            .init(.insert(newRule, version: 1, since: moment, of: user)),
            .init(.countRules(of: user)),
            .init(.alert(id, of: user)),
            .init(.alerts(of: user, openOnly: true, behind: id, limit: 1)),
            .init(.alerts(of: user, openOnly: false, behind: nil, limit: 1)),
            .init(.acknowledge(id, of: user)),
            .init(.resolve(id, of: user, saying: "resolution")),
            .init(.close(rule, at: moment, of: user)),
            .init(.resolveAlerts(of: rule, user)),
            .init(.add(medication, of: user, atMost: 1)),
            .init(.hold(medication, from: moment, of: user)),
            .init(.endSchedule(of: id, at: moment, user)),
            .init(.lockMedication(id, of: user)),
            .init(.medications(of: user, activeOnly: true, behind: (moment, id), limit: 1)),
            .init(.medications(of: user, activeOnly: false, behind: nil, limit: 1)),
            .init(.schedules(of: user, in: period)),
            .init(.doses(of: user, in: period)),
            .init(.record(dose, of: user)),
            .init(.recorded(dose, of: user)),
            .init(.replace(id, with: dose, of: user)),
            .init(.substances(of: ["a"])),
            .init(.classes(of: ["a"])),
            .init(.isRevoked(session: id, of: id)),
            .init(.isGranted([.vitalsRead], by: id)),
            .init(.hold([id], of: user)),
            .init(Statement<ReadingChange>.insert(batch, of: user)),
            .init(Statement<Void>.insert(batch, of: user, if: .holdsTimeline(of: user))),
            .init(.ids(of: columns, user)),
            .init(.list(reading.code, of: user, in: period, on: nil, after: .init(effectiveAt: moment, id: .least), limit: 1)),
            .init(.list(reading.code, of: user, in: period, on: day, after: .init(effectiveAt: moment, id: .least), limit: 1)),
            .init(.latest(of: user)),
            .init(.insert(device, as: .make(), of: user, atMost: 1)),
            .init(.find(withSerialNumber: device.serialNumber, of: user)),
            .init(Statement<Vitals.Device>.list(of: user)),
            .init(.insert([Sample(at: moment, sequence: try SequenceNumber(1), value: 1)], .channel(metric), in: series)),
            .init(.insert([Sample(at: moment, sequence: try SequenceNumber(1), value: 1, revision: 1)], .channel(metric), in: series)),
            .init(.hold(series, .channel(metric), reaching: 1)),
            .init(.series(of: .make(), user, behind: "", limit: 1)),
            .init(.firstHour(of: series, endingAfter: moment, before: moment)),
            .init(.buckets(between: [moment, moment + .seconds(1)], of: series)),
            .init(.extremes(between: [moment, moment], of: series)),
            .init(.holdStale(of: series, from: moment, before: moment, limit: 1)),
            .init(.rollUp(hours: [moment], of: series)),
            .init(.rollUp(days: [moment], of: series)),
            .init(.activate(withSerialNumber: device.serialNumber, of: user)),
            .init(.lockQuota(of: user, in: DeviceRepository.table)),
            .init(.rename(.make(), device.name, of: user)),
            .init(.deactivate(.make(), of: user)),
            .init(.find(DeviceID.make(), of: user)),
            .init(.list(metric, of: .make(), user, after: .init(at: moment, sequence: 1), before: moment, limit: 1)),
            .init(.insert(alert, of: user)),
            .init(.replace(alert, of: user)),
            .init(.insert(medication, of: user)),
            .init(.replace(medication, of: user)),
            .init(.insert(goal, of: user)),
            .init(.lockGoal(id, of: user)),
            .init(.goals(of: user, openOnly: true, behind: (moment, id), limit: 1)),
            .init(.goals(of: user, openOnly: false, behind: nil, limit: 1)),
            .init(.milestones(of: id, user)),
            .init(.progress(of: id, user, behind: (moment, id), limit: 1)),
            .init(.progress(of: id, user, behind: nil, limit: 1)),
            .init(.readings(of: reading.code, user, changedBehind: 1, limit: 1)),
            .init(.readings(of: reading.code, user, from: moment, behind: observation, limit: 1)),
            .init(.add(goal, of: user, atMost: 1)),
            .init(.setDerived(through: 1, in: id, of: user)),
            .init(.forgetDerived(of: id, user)),
            .init(.settle(id, of: user)),
            .init(.reachMilestones(of: id, user)),
            .init(.put(milestone, of: user)),
            .init(.removeMilestone(id, from: id, of: user)),
            .init(.removeEntry(id, from: id, of: user)),
            .init(.dropDerived([id], from: id, of: user)),
            .init(.putDerived([id], values: [one], at: [moment], in: id, of: user)),
            .init(.keep(prediction, of: user)),
            .init(.kept(prediction, of: user)),
            .init(.prediction(id, of: user)),
            .init(.predictions(of: user, model: "model", kind: .heartRisk, behind: .init(at: moment, id: id), limit: 1)),
            .init(.predictions(of: user, model: nil, kind: nil, behind: nil, limit: 1)),
            .init(.lockRecord(id, of: user)),
            .init(.records(of: user, kind: .condition, behind: .init(at: moment, id: id), limit: 1)),
            .init(.records(of: user, kind: nil, behind: nil, limit: 1)),
            .init(.add(record, of: user, atMost: 1)),
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
            + PatientRecordRepository.statements + PredictionRepository.statements + ErasureStatements.catalogue(in: "vitals") + KeptAnswerStatements.catalogue(in: "vitals") + ExportStatements.catalogue(in: "vitals", table: "medications") + [
                .init(.observations(of: user, behind: nil, limit: 1)),
                .init(.observations(of: user, behind: id, limit: 1)),
                .init(.exportedSeries(of: user, from: nil)),
                .init(.exportedSeries(of: user, from: SamplePlace(device: .make(), metric: "ecg", after: nil))),
                .init(.medicationsInOrder(of: user, behind: nil, limit: 1)),
                .init(.medicationsInOrder(of: user, behind: id, limit: 1)),
            ] + (try imports(of: user, columns, reading, device, series))
    }

    private static func imports(
        of user: UserID, _ columns: ObservationColumns, _ reading: NewObservation, _ device: NewDevice, _ series: SeriesKey
    ) throws -> [CataloguedStatement] {
        let part = try ImportPart(
            .init(userId: user.uuid.uuidString, importId: UUID().uuidString, source: "source", resources: [.init(identity: UUID().uuidString)]))
        let imported = ImportedObservation(id: .make(), new: reading, status: .final, version: 1, reason: "")
        return [
            .init(.lockImportPart(of: user)),
            .init(.beginImportPart(part)),
            .init(try .endImportPart(part, [], devices: [:])),
            .init(.importDevice(device, as: .make(), isActive: true, of: user, atMost: 1)),
            .init(.hasDevice(.make(), of: user)),
            .init(.countDiffering([Sample(at: reading.effectiveAt, sequence: try SequenceNumber(1), value: 1)], in: series)),
            .init(.countMedications(of: user)),
            .init(.importReadings(columns, [imported], of: user)),
            .init(.keptReadings([imported.identity], of: user)),
        ]
    }
}
