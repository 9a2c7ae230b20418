internal import Contracts
internal import RPC
internal import Time

extension PatientStory {
    private static let medications = [
        (id: "01890000-0000-7000-8000-00000000a001", name: "Warfarin", dosage: "5 mg"),
        (id: "01890000-0000-7000-8000-00000000a002", name: "Ibuprofen", dosage: "400 mg"),
    ]

    /// Two drugs that do not go together.
    func takeMedications() async throws {
        let medications = VitalsV1.MedicationsServiceClient(patient.channel)
        for (id, name, dosage) in Self.medications {
            let evening = VitalsV1.MedicationSchedule(timeZone: "UTC", plan: .timesOfDay(.init(times: ["20:00"])))
            let medication = VitalsV1.Medication(
                id: id, name: name, dosage: dosage, form: .tablet, schedule: evening, startsOn: "2026-03-01", active: true)
            try await keep { options throws(RPCError) in
                try await medications.addMedication(.init(medication: medication), options: options)
            }
        }
        let found = try await patient.patiently { options throws(RPCError) in
            try await medications.checkInteractions(.init(includeMine: true), options: options)
        }.interactions
        for interaction in found {
            progress.step("medications", "\(interaction.first) and \(interaction.second): \(interaction.effect) \(interaction.management)")
        }
    }

    /// LOINC: heart rate.
    private static let heartRate = "8867-4"

    /// A rule of the person's, a reading beyond it, and the alert that comes of it, proven from the reading.
    func raiseAlert() async throws {
        let alerts = VitalsV1.AlertsServiceClient(patient.channel)
        let vitals = VitalsV1.VitalsServiceClient(patient.channel)
        let rule = VitalsV1.AlertRule(
            id: "01890000-0000-7000-8000-00000000a003", name: "Heart beats fast", code: Self.heartRate, condition: .above,
            threshold: "120", clearAt: "110", unit: "/min", severity: .high, enabled: true)
        try await keep { options throws(RPCError) in try await alerts.createAlertRule(.init(rule: rule), options: options) }
        var alert = try await newestAlert(of: rule.id, alerts)
        if alert == nil {
            let now = Instant.now()
            let reading = VitalsV1.Observation(
                code: Self.heartRate, quantity: .init(value: "131", unit: "/min"), effectiveAt: .init(now), source: "manual",
                sequence: now.microsecondsSinceEpoch)
            _ = try await patient.patiently { options throws(RPCError) in
                try await vitals.recordObservations(.init(observations: [reading]), options: options)
            }
            alert = try await newestAlert(of: rule.id, alerts)
        }
        // Who has switched the rule off has no alert.
        guard let alert else { return progress.step("alert", "none: the rule “\(rule.name)” is not as it was made") }
        let verified = try await patient.patiently { options throws(RPCError) in
            try await alerts.verifyAlert(.init(alertId: alert.id), options: options)
        }
        progress.step(
            "alert",
            "“\(alert.title)” at \(alert.quantity?.value ?? "") \(alert.quantity?.unit ?? ""), \(alert.firedAt?.shown ?? "") UTC; judged again from its readings: \(verified.reproduced ? "the same" : "NOT the same")")
    }

    private func newestAlert(of rule: String, _ alerts: VitalsV1.AlertsServiceClient) async throws -> VitalsV1.Alert? {
        try await patient.patiently { options throws(RPCError) in
            try await alerts.listAlerts(.init(pageSize: 100), options: options)
        }.alerts.first { $0.ruleId == rule }
    }

    /// A goal with progress that is entered by hand.
    func setGoal() async throws {
        let goals = VitalsV1.GoalsServiceClient(patient.channel)
        let goal = VitalsV1.Goal(
            id: "01890000-0000-7000-8000-00000000a004", kind: .weight, title: "Back to 85 kg", unit: "kg", startValue: "92",
            targetValue: "85", direction: .decrease, startsOn: "2026-03-01", timeZone: "UTC")
        let entry = VitalsV1.ProgressEntry(
            id: "01890000-0000-7000-8000-00000000a005", goalId: goal.id, value: "89.5",
            at: .init(Instant(microsecondsSinceEpoch: 1_774_000_000_000_000)))
        try await keep { options throws(RPCError) in try await goals.createGoal(.init(goal: goal), options: options) }
        do {
            try await keep { options throws(RPCError) in try await goals.recordProgress(.init(entry: entry), options: options) }
        } catch let error as RPCError where error.code == .failedPrecondition {}  // somebody has ended the goal since
        let kept = try await patient.patiently { options throws(RPCError) in
            try await goals.getGoal(.init(goalId: goal.id), options: options)
        }.goal ?? goal
        progress.step(
            "goal",
            "“\(kept.title)”: from \(kept.startValue) to \(kept.targetValue) \(kept.unit), now \(kept.currentValue), which is \(kept.percent ?? 0) % of the way")
    }

    /// The heart signal, in as many points as a line has letters.
    func plotSignal() async throws {
        let vitals = VitalsV1.VitalsServiceClient(patient.channel)
        let series = VitalsV1.SeriesServiceClient(patient.channel)
        let watch = try await patient.patiently { options throws(RPCError) in
            try await vitals.listDevices(.init(), options: options)
        }.devices.first { $0.kind == .watch }
        guard let watch else { throw CommandFailure("the sample person's optical pulse sensor is not there.") }
        let request = VitalsV1.ReadSeriesRequest(
            deviceId: watch.id, metric: .init(metric: .channel("ppg")), form: .plot(.init(points: 60)))
        let points = try await series.readSeries(request, options: patient.options) { answers in
            var points: [Double] = []
            for try await answer in answers { points += answer.samples.map(\.value) }
            return points
        }
        progress.step("series", "the signal of “\(watch.name)” in \(points.count) points that keep its shape: \(Self.line(points))")
    }

    /// A letter for each value, the higher the larger.
    static func line(_ values: [Double]) -> String {
        let bars = Array("▁▂▃▄▅▆▇█")
        guard let least = values.min(), let greatest = values.max(), greatest > least, (greatest - least).isFinite,
            values.allSatisfy(\.isFinite)
        else { return "" }
        return String(values.map { bars[Int(($0 - least) / (greatest - least) * Double(bars.count - 1))] })
    }
}
