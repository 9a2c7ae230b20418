internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension VitalsV1.Medication {
    /// Half past two at night and eight in the evening, in Berlin.
    static func warfarin(id: String = "", name: String = "Warfarin", from: String = "2026-03-01") -> VitalsV1.Medication {
        VitalsV1.Medication(
            id: id, name: name, dosage: "5 mg", form: .tablet,
            schedule: .init(timeZone: "Europe/Berlin", plan: .timesOfDay(.init(times: ["20:00", "02:30"]))), startsOn: from, active: true)
    }
}

private func withMedications(_ body: (MedicationsService) async throws -> Void) async throws {
    try await withVitals { _, postgres in
        try await body(MedicationsService(medications: MedicationStore(postgres: postgres), interactions: Interactions(postgres: postgres)))
    }
}

private func timestamp(_ text: String) throws -> GoogleProtobuf.Timestamp {
    let instant: Instant = try #require(Instant(rfc3339: text))
    return .init(instant)
}

extension MedicationsService {
    @discardableResult
    fileprivate func add(_ medication: VitalsV1.Medication, as caller: Caller) async throws -> VitalsV1.Medication {
        try #require(try await addMedication(.init(medication: medication), context: caller.context).medication)
    }

    fileprivate func due(_ start: String, _ end: String, _ caller: Caller) async throws -> [VitalsV1.Dose] {
        try await listDueDoses(.init(startAt: try timestamp(start), endAt: try timestamp(end)), context: caller.context).doses
    }

    @discardableResult
    fileprivate func record(
        _ medication: String, at time: String, _ outcome: VitalsV1.DoseOutcome = .taken, replace: Bool = false, note: String = "", as caller: Caller
    ) async throws -> VitalsV1.Dose {
        let request = VitalsV1.RecordDoseRequest(
            medicationId: medication, scheduledAt: try timestamp(time), outcome: outcome, note: note, replace: replace)
        return try #require(try await recordDose(request, context: caller.context).dose)
    }
}

@Suite struct `A medication` {
    @Test func `is listed before those that were added earlier, whatever ids their callers chose`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let ids = ["2", "f", "0", "9"].map { "\($0)0000000-0000-4000-8000-000000000000" }
            for id in ids { try await medications.add(.warfarin(id: id, name: "Drug \(id)"), as: ada) }
            var request = VitalsV1.ListMedicationsRequest(pageSize: 1)
            var listed: [String] = []
            repeat {
                let page = try await medications.listMedications(request, context: ada.context)
                listed += page.medications.map(\.id)
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(listed == ids.reversed())
        }
    }

    @Test func `is added once by a call that is made again, and not another by its id`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let id = UUID().uuidString.lowercased()
            let added = try await medications.add(.warfarin(id: id), as: ada)

            #expect(added.version == 1)
            #expect(added.schedule?.plan == .timesOfDay(.init(times: ["02:30", "20:00"])))
            #expect(try await medications.add(.warfarin(id: id), as: ada) == added)
            await expect(.alreadyExists) { try await medications.add(.warfarin(id: id, name: "Other"), as: ada) }
            #expect(try await medications.listMedications(.init(), context: ada.context).medications == [added])
            #expect(try await medications.listMedications(.init(), context: Caller().context).medications.isEmpty)
        }
    }

    @Test func `is changed by who knows its version, and what was due before stays`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var warfarin = try await medications.add(.warfarin(), as: ada)
            warfarin.schedule?.plan = .everyHours(.init(hours: 6, firstTime: "06:00"))

            let changed = try await medications.updateMedication(.init(medication: warfarin), context: ada.context).medication

            #expect(changed?.version == 2)
            #expect(try await medications.updateMedication(.init(medication: warfarin), context: ada.context).medication == changed)
            warfarin.dosage = "3 mg"
            await expect(.aborted) { try await medications.updateMedication(.init(medication: warfarin), context: ada.context) }
            warfarin.version = .max
            await expect(.aborted) { try await medications.updateMedication(.init(medication: warfarin), context: ada.context) }
            await expect(.notFound) { try await medications.updateMedication(.init(medication: warfarin), context: Caller().context) }
            #expect(try await medications.due("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", ada).map(\.scheduledAt) == [
                try timestamp("2026-03-02T01:30:00Z"), try timestamp("2026-03-02T19:00:00Z"),
            ])
            // From now on it is every six hours.
            let now = Instant.now()
            let tomorrow = try await medications.listDueDoses(
                .init(startAt: .init(now + .seconds(60)), endAt: .init(now + .seconds(60 + 86_400))), context: ada.context
            ).doses
            #expect(tomorrow.count == 4)
        }
    }

    @Test func `is due by one schedule at a time, also if the clock of who changed it before was ahead`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var warfarin = VitalsV1.Medication.warfarin()
            warfarin.schedule?.plan = .everyHours(.init(hours: 1, firstTime: "00:00"))
            warfarin = try await medications.add(warfarin, as: ada)
            warfarin.schedule?.plan = .everyHours(.init(hours: 1, firstTime: "00:20"))
            warfarin = try #require(try await medications.updateMedication(.init(medication: warfarin), context: ada.context).medication)
            try await runAsSuperuser(
                """
                UPDATE vitals.medication_schedules SET
                    holds_from = CASE version WHEN 2 THEN holds_from + interval '2 hours' ELSE holds_from END, holds_until = holds_until + interval '2 hours'
                WHERE user_id = '\(ada.id.uuidString)'
                """)

            warfarin.schedule?.plan = .everyHours(.init(hours: 1, firstTime: "00:40"))
            _ = try await medications.updateMedication(.init(medication: warfarin), context: ada.context)

            let now = Instant.now()
            let request = VitalsV1.ListDueDosesRequest(startAt: .init(now), endAt: .init(now + .seconds(3_600)))
            #expect(try await medications.listDueDoses(request, context: ada.context).doses.count == 1)
        }
    }

    @Test func `has no more doses listed than fit into an answer`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let long = String(repeating: "😀", count: 200)
            for _ in 0..<3 {
                var hourly = VitalsV1.Medication.warfarin(name: long)
                hourly.dosage = long
                hourly.schedule = .init(timeZone: "UTC", plan: .everyHours(.init(hours: 1, firstTime: "00:00")))
                try await medications.add(hourly, as: ada)
            }

            #expect(try await medications.due("2026-03-02T00:00:00Z", "2026-03-12T00:00:00Z", ada).count == 720)
            await expect(.invalidArgument, fields: ["end_at"]) { try await medications.due("2026-03-02T00:00:00Z", "2026-04-02T00:00:00Z", ada) }
        }
    }

    @Test func `that is taken no longer is due no longer, and one that is removed never was`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var warfarin = try await medications.add(.warfarin(), as: ada)
            warfarin.active = false
            _ = try await medications.updateMedication(.init(medication: warfarin), context: ada.context)

            let now = Instant.now()
            let later = try await medications.listDueDoses(
                .init(startAt: .init(now + .seconds(60)), endAt: .init(now + .seconds(86_400 * 7))), context: ada.context
            ).doses
            #expect(later.isEmpty)
            #expect(try await medications.due("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", ada).count == 2)
            for _ in 0..<2 { _ = try await medications.removeMedication(.init(medicationId: warfarin.id), context: ada.context) }
            #expect(try await medications.due("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", ada).isEmpty)
        }
    }

    @Test func `has to make sense`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            func expectInvalid(_ fields: Set<String>, _ change: (inout VitalsV1.Medication) -> Void) async {
                var medication = VitalsV1.Medication.warfarin()
                change(&medication)
                await expect(.invalidArgument, fields: Set(fields.map { "medication.\($0)" })) { try await medications.add(medication, as: ada) }
            }
            func times(_ times: [String], _ days: [Int32] = [], _ interval: Int32 = 0) -> VitalsV1.MedicationSchedule.OneOf_Plan {
                .timesOfDay(.init(times: times, weekdays: days, intervalDays: interval))
            }

            await expectInvalid(["name", "dosage"]) { ($0.name, $0.dosage) = ("", " ") }
            await expectInvalid(["starts_on"]) { $0.startsOn = "2026-02-30" }
            await expectInvalid(["ends_on"]) { $0.endsOn = "2026-02-28" }
            await expectInvalid(["schedule"]) { $0.schedule = nil }
            await expectInvalid(["schedule.time_zone"]) { $0.schedule?.timeZone = "Berlin" }
            await expectInvalid(["schedule.times_of_day.times"]) { $0.schedule?.plan = times([]) }
            await expectInvalid(["schedule.times_of_day.times"]) { $0.schedule?.plan = times(["08:00", "08:00"]) }
            await expectInvalid(["schedule.times_of_day.times[1]"]) { $0.schedule?.plan = times(["08:00", "24:00"]) }
            await expectInvalid(["schedule.times_of_day.weekdays"]) { $0.schedule?.plan = times(["08:00"], [0]) }
            await expectInvalid(["schedule.times_of_day.interval_days"]) { $0.schedule?.plan = times(["08:00"], [1], 2) }
            await expectInvalid(["schedule.every_hours.hours", "schedule.every_hours.first_time"]) {
                $0.schedule?.plan = .everyHours(.init(hours: 0, firstTime: "8"))
            }
            await expectInvalid(["rxnorm_code"]) { $0.rxnormCode = "12a" }
            await expectInvalid(["form", "version"]) { ($0.form, $0.version) = (.unrecognized(99), 3) }
        }
    }
}

@Suite struct `A dose` {
    @Test func `is due by the clocks of its place on a day of 23 hours`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            try await medications.add(.warfarin(), as: ada)

            let doses = try await medications.due("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", ada)

            #expect(doses.map(\.scheduledAt) == [try timestamp("2026-03-29T01:00:00Z"), try timestamp("2026-03-29T18:00:00Z")])
            #expect(doses.map(\.outcome) == [.unspecified, .unspecified])
            #expect(doses.map(\.medicationName) == ["Warfarin", "Warfarin"])
        }
    }

    @Test func `is recorded once, whoever says it at the same moment, and something else only in its place`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let id = try await medications.add(.warfarin(), as: ada).id
            let time = "2026-03-02T19:00:00Z"

            let recorded = try await withThrowingTaskGroup(of: VitalsV1.Dose.self) { group in
                for _ in 0..<6 { group.addTask { try await medications.record(id, at: time, as: ada) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(Set(recorded.map(\.description)).count == 1)
            await expect(.alreadyExists) { try await medications.record(id, at: time, .skipped, as: ada) }
            #expect(try await medications.record(id, at: time, .skipped, replace: true, note: "Was out.", as: ada).outcome == .skipped)
            let due = try await medications.due("2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z", ada)
            #expect(due.map(\.outcome) == [.skipped])
            #expect(due.map(\.note) == ["Was out."])
        }
    }

    @Test func `has to be due`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let id = try await medications.add(.warfarin(), as: ada).id

            for time in ["2026-03-02T19:00:01Z", "2026-02-27T19:00:00Z", "2026-03-29T00:30:00Z"] {
                await expect(.invalidArgument, fields: ["scheduled_at"]) { try await medications.record(id, at: time, as: ada) }
            }
            await expect(.notFound) { try await medications.record(id, at: "2026-03-02T19:00:00Z", as: Caller()) }
            await expect(.invalidArgument, fields: ["outcome", "dose_id"]) {
                try await medications.recordDose(.init(medicationId: id), context: ada.context)
            }
        }
    }

    @Test func `that is taken as needed is recorded once by its id`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var nitro = VitalsV1.Medication.warfarin(name: "Nitroglycerin")
            nitro.schedule?.plan = .asNeeded(.init())
            let id = try await medications.add(nitro, as: ada).id
            let request = VitalsV1.RecordDoseRequest(
                medicationId: id, outcome: .taken, at: try timestamp("2026-03-02T10:00:00Z"), doseId: UUID().uuidString)

            let first = try await medications.recordDose(request, context: ada.context)

            #expect(try await medications.recordDose(request, context: ada.context) == first)
            #expect(first.dose?.scheduledAt == nil)
            #expect(try await medications.due("2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z", ada).isEmpty)
        }
    }

    @Test func `is recorded once by a call that is made again and says no time, whenever that is`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var nitro = VitalsV1.Medication.warfarin(name: "Nitroglycerin")
            nitro.schedule?.plan = .asNeeded(.init())
            let needed = VitalsV1.RecordDoseRequest(
                medicationId: try await medications.add(nitro, as: ada).id, outcome: .taken, doseId: UUID().uuidString)
            let warfarin = try await medications.add(.warfarin(), as: ada).id
            let now = Instant.now()
            let next = try await medications.listDueDoses(
                .init(startAt: .init(now), endAt: .init(now + .seconds(86_000))), context: ada.context).doses.first
            // Taken before it was due.
            let early = VitalsV1.RecordDoseRequest(medicationId: warfarin, scheduledAt: try #require(next).scheduledAt, outcome: .taken)

            for request in [needed, early] {
                let first = try await medications.recordDose(request, context: ada.context)
                #expect(try await medications.recordDose(request, context: ada.context) == first)
                var other = request
                other.note = "With water."
                await expect(.alreadyExists) { try await medications.recordDose(other, context: ada.context) }
            }
        }
    }

    @Test func `was taken when that is said, and not when it was due, by a call that says no time`() throws {
        let now = try #require(Instant(rfc3339: "2026-03-02T21:30:00Z"))
        let dose = VitalsV1.RecordDoseRequest(
            medicationId: UUID().uuidString, scheduledAt: try timestamp("2026-03-02T19:00:00Z"), outcome: .taken)
        var timed = dose
        timed.at = try timestamp("2026-03-02T19:10:00Z")

        let (untimed, said) = (try RecordedDose(dose, now: now), try RecordedDose(timed, now: now))

        #expect(untimed.at == now)
        #expect(said.at == Instant(rfc3339: "2026-03-02T19:10:00Z"))
    }

    @Test func `counts towards how far its person keeps to the schedule`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            let id = try await medications.add(.warfarin(), as: ada).id
            try await medications.record(id, at: "2026-03-02T01:30:00Z", as: ada)
            try await medications.record(id, at: "2026-03-02T19:00:00Z", as: ada)
            try await medications.record(id, at: "2026-03-03T01:30:00Z", .skipped, as: ada)

            let adherence = try await medications.getAdherence(
                .init(startAt: try timestamp("2026-03-02T00:00:00Z"), endAt: try timestamp("2026-03-05T00:00:00Z")), context: ada.context
            ).medications

            #expect(adherence == [
                .init(medicationId: id, medicationName: "Warfarin", dueCount: 6, takenCount: 2, skippedCount: 1, missedCount: 3)
            ])
            // What is not due yet is not missed.
            let future = try await medications.getAdherence(
                .init(startAt: .init(.now() + .seconds(60)), endAt: .init(.now() + .seconds(86_400))), context: ada.context
            ).medications
            #expect(future.isEmpty)
        }
    }

    @Test func `is asked for within a month, and with both ends`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            await expect(.invalidArgument, fields: ["end_at"]) { try await medications.due("2026-03-01T00:00:00Z", "2026-04-02T00:00:00Z", ada) }
            await expect(.invalidArgument, fields: ["end_at"]) { try await medications.due("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", ada) }
            await expect(.invalidArgument, fields: ["start_at", "end_at"]) { try await medications.listDueDoses(.init(), context: ada.context) }
        }
    }
}

@Suite struct `Interactions of drugs` {
    @Test func `are the same in both orders, by brand or substance, whatever the case, and the worst come first`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            func check(_ drugs: [String]) async throws -> [VitalsV1.Interaction] {
                try await medications.checkInteractions(.init(drugs: drugs), context: ada.context).interactions
            }

            let found = try await check(["Warfarin", "ASPIRIN", "sildenafil", "Nitroglycerin"])

            #expect(found.map { [$0.first, $0.second] } == [["Nitroglycerin", "sildenafil"], ["ASPIRIN", "Warfarin"]])
            #expect(found.map(\.severity) == [.contraindicated, .major])
            #expect(found.allSatisfy { !$0.mechanism.isEmpty })
            #expect(try await check(["Nitroglycerin", "sildenafil", "ASPIRIN", "Warfarin"]) == found)
            #expect(try await check(["aspirin", "acetylsalicylic acid"]).isEmpty)
            #expect(try await check(["coumadin", " Advil "]).map(\.severity) == [.major])
            #expect(try await check(["water", "bread"]).isEmpty)
            await expect(.invalidArgument, fields: ["drugs"]) { try await check([]) }
            await expect(.invalidArgument, fields: ["drugs[1]"]) { try await check(["water", ""]) }
        }
    }

    @Test func `are found by the classes of drugs, and the pair's own comes first`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            func check(_ drugs: [String]) async throws -> [VitalsV1.Interaction] {
                try await medications.checkInteractions(.init(drugs: drugs), context: ada.context).interactions
            }

            let byClass = try await check(["Celebrex", "Edoxaban"])
            #expect(byClass.map { [$0.first, $0.second] } == [["Celebrex", "Edoxaban"]])
            #expect(byClass.map(\.severity) == [.major] && byClass.allSatisfy { !$0.mechanism.isEmpty })
            #expect(try await check(["edoxaban", "celecoxib"]).map(\.severity) == [.major])
            // A substance and a class; two that are of one class.
            #expect(try await check(["bisoprolol", "verapamil"]).map(\.severity) == [.major])
            #expect(try await check(["ibuprofen", "celecoxib"]).isEmpty)
            // Both are kept: of the classes as major, of the class and the drug as contraindicated.
            #expect(try await check(["sacubitril/valsartan", "ramipril"]).map(\.severity) == [.contraindicated])
            let own = try await check(["nitroglycerin", "tadalafil"])
            #expect(own.map(\.management) == ["No nitrate within 48 hours of tadalafil."])
            let three = try await check(["warfarin", "fluoxetine", "naproxen"])
            #expect(three.map { [$0.first, $0.second] } == [["naproxen", "warfarin"], ["fluoxetine", "naproxen"], ["fluoxetine", "warfarin"]])
        }
    }

    @Test func `are found by the name as it is kept, beside one that is equal to Swift alone`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            // "ṩ", once of one code point and once of three.
            let (kept, other) = ("\u{1E69}-kept", "s\u{323}\u{307}-kept")
            try await DrugInteractionRepository(postgres: medications.interactions.postgres).put(
                DrugInteraction(kept, "warfarin", .major, mechanism: "m", effect: "e", management: "a", source: "s"))

            let found = try await medications.checkInteractions(.init(drugs: [other, kept, "Warfarin"]), context: ada.context).interactions

            #expect(found.map(\.severity) == [.major])
        }
    }

    @Test func `of a medication with those that its person takes are told when it is added`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            var stopped = VitalsV1.Medication.warfarin(name: "Amiodarone")
            stopped.active = false
            try await medications.add(.warfarin(), as: ada)
            try await medications.add(stopped, as: ada)

            let added = try await medications.addMedication(.init(medication: .warfarin(name: "Ibuprofen")), context: ada.context)

            #expect(added.interactions.map { [$0.first, $0.second] } == [["Ibuprofen", "Warfarin"]])
            let mine = try await medications.checkInteractions(.init(drugs: ["Aspirin"], includeMine: true), context: ada.context).interactions
            #expect(Set(mine.map { [$0.first, $0.second] }) == [["Aspirin", "Warfarin"], ["Aspirin", "Ibuprofen"], ["Ibuprofen", "Warfarin"]])
        }
    }

    @Test func `of a medication are told when it is added, by whatever name its person takes the same`() async throws {
        try await withMedications { medications in
            let ada = Caller()
            try await medications.add(.warfarin(), as: ada)
            try await medications.add(.warfarin(name: "Aspirin"), as: ada)

            for name in ["acetylsalicylic acid", "aspirin"] {
                let added = try await medications.addMedication(.init(medication: .warfarin(name: name)), context: ada.context)
                #expect(added.interactions.map { [$0.first, $0.second] } == [["Warfarin", name]])
            }
        }
    }
}
