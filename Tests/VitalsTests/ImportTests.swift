internal import Application
internal import Contracts
internal import FHIR
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

/// Parts of imports, as Users sends them.
private struct Importing {
    let service: ImportService
    let vitals: VitalsService
    let postgres: Postgres
    let ada = Caller()
    let importID = UUID()

    func take(_ resources: [(UUID, String)], place: Int64 = 0, in importID: UUID? = nil, medication: String = "") async throws -> [ImportOutcome] {
        let request = ImportsV1.ImportRecordsRequest(
            userId: ada.id.uuidString, importId: (importID ?? self.importID).uuidString, place: place, source: "clinic",
            resources: resources.map { .init(identity: $0.uuidString, content: Array($1.utf8), medication: Array(medication.utf8)) })
        let answer = try await service.importRecords(request, context: ada.context)
        return try answer.outcomes.map { try #require(ImportOutcome(rawValue: $0.rawValue)) }
    }

    func readings(_ code: String) async throws -> [VitalsV1.Observation] {
        try await vitals.all(.init(code: code, startAt: .init(.init(microsecondsSinceEpoch: 0)), endAt: .init(.now())), as: ada)
    }

    static func observation(
        _ value: String = "72", code: String = "8867-4", unit: String = "/min", at time: String = "2024-05-06T10:00:00+02:00", besides: String = ""
    ) -> String {
        #"""
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"\#(code)"}]},
         "effectiveDateTime":"\#(time)","valueQuantity":{"value":\#(value),"system":"http://unitsofmeasure.org","code":"\#(unit)"}\#(besides)}}
        """#
    }

    /// What is left of one that was entered in error.
    static func retraction(code: String = "8867-4", at time: String = "2024-05-06T10:00:00+02:00", besides: String = "") -> String {
        #"""
        {"resourceType":"Observation","status":"entered-in-error","code":{"coding":[{"system":"http://loinc.org","code":"\#(code)"}]},
         "effectiveDateTime":"\#(time)"\#(besides)}
        """#
    }

    static func device(_ id: UUID, kind: String = "watch") -> (UUID, String) {
        let told = FHIR.Device(id: id, patient: UUID(), isActive: true, kind: kind, name: "My watch", serialNumber: "SN-1")
        return (id, String(decoding: told.entry, as: UTF8.self))
    }

    /// What a device of a service like this one has numbered.
    static func numbered(_ number: Int, by device: UUID) -> String {
        #","identifier":[{"system":"urn:x-heartguard:source:watch","value":"\#(number)"}],"device":{"reference":"urn:uuid:\#(device.uuidString)"}"#
    }

    func history(_ id: UUID) async throws -> [VitalsV1.ObservationVersion] {
        try await vitals.listObservationHistory(.init(observationId: id.uuidString), context: ada.context).versions
    }

    static func medication(_ name: String, status: String = "active") -> String {
        #"{"resourceType":"MedicationStatement","status":"\#(status)","medicationCodeableConcept":{"text":"\#(name)"},"effectivePeriod":{"start":"2024-05-06"}}"#
    }
}

private func withImporting(_ body: (Importing) async throws -> Void) async throws {
    try await withVitals { vitals, postgres in
        try await body(
            Importing(service: ImportService(records: RecordImport(postgres: postgres), latest: vitals.latest), vitals: vitals, postgres: postgres))
    }
}

@Suite struct `A part of an import` {
    @Test func `is kept once, and answered as before when it comes again`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let part = (0..<20).map { (UUID(), Importing.observation("\(60 + $0)", at: "2024-05-06T10:00:\(10 + $0)+02:00")) }

            let outcomes = try await importing.take(part)
            let again = try await importing.take(part)

            #expect(outcomes == part.map { _ in .imported })
            #expect(again == outcomes)
            let kept = try await importing.readings("8867-4")
            #expect(kept.count == 20)
            #expect(Set(kept.map(\.id)) == Set(part.map { $0.0.uuidString.lowercased() }))
            #expect(kept.allSatisfy { $0.utcOffsetMinutes == 120 && $0.source == "clinic" })
            // In another part, and in another import, they are there.
            #expect(try await importing.take(part, place: 20) == part.map { _ in .existing })
            #expect(try await importing.take(part, in: UUID()) == part.map { _ in .existing })
            #expect(try await importing.readings("8867-4").count == 20)
        }
    }

    @Test func `that comes behind a later one is refused`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let part = [(UUID(), Importing.observation())]
            _ = try await importing.take(part, place: 20)

            await expect(.aborted) { try await importing.take(part, place: 0) }
        }
    }

    @Test func `is kept once by any number who keep it at once`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let part = (0..<50).map { (UUID(), Importing.observation("\(60 + $0)")) }

            let outcomes = try await withThrowingTaskGroup(of: [ImportOutcome].self) { group in
                for _ in 0..<6 { group.addTask { try await importing.take(part) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(outcomes.allSatisfy { $0 == part.map { _ in .imported } })
            #expect(try await importing.readings("8867-4").count == 50)
        }
    }

    @Test func `says of each reading what became of it`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (same, changed) = (UUID(), UUID())
            _ = try await importing.take([(same, Importing.observation()), (changed, Importing.observation("80", at: "2024-05-07T10:00:00Z"))])
            let tomorrow = (Instant.now() + .seconds(86_400)).rfc3339
            let cases: [(UUID, String, ImportOutcome)] = [
                (same, Importing.observation(), .existing), (changed, Importing.observation("81", at: "2024-05-07T10:00:00Z"), .differs),
                (UUID(), Importing.observation(code: "8867-5"), .unsupportedCode), (UUID(), Importing.observation(unit: "not a unit"), .unsupportedUnit),
                (UUID(), Importing.observation(unit: "kg"), .unsupportedUnit), (UUID(), Importing.observation(at: tomorrow), .unsupportedTime),
                (UUID(), Importing.observation("72", code: "85354-9"), .unsupportedValue), (UUID(), "{", .malformed), (UUID(), "{}", .notKept),
                (UUID(), #"{"resourceType":"Condition"}"#, .notKept), (UUID(), Importing.observation("7e99"), .unsupportedValue),
                (UUID(), Importing.observation("73"), .imported),
            ]

            let outcomes = try await importing.take(cases.map { ($0.0, $0.1) }, place: 2)

            #expect(outcomes == cases.map(\.2))
        }
    }

    @Test func `has readings in units that their codes can have`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let part = [
                (UUID(), Importing.observation("98.6", code: "8310-5", unit: "[degF]")), (UUID(), Importing.observation("180", code: "8302-2", unit: "mm")),
                (UUID(), Importing.observation("5.40", code: "2339-0", unit: "mmol/L")), (UUID(), Importing.observation("7", code: "72514-3", unit: "{score}")),
            ]

            let outcomes = try await importing.take(part)

            #expect(outcomes == part.map { _ in .imported })
            func quantity(_ code: String) async throws -> VitalsV1.Quantity? { try await importing.readings(code).first?.quantity }
            let (temperature, height) = (try await quantity("8310-5"), try await quantity("8302-2"))
            let (glucose, score) = (try await quantity("2339-0"), try await quantity("72514-3"))
            #expect(temperature == .init(value: "98.6", unit: "[degF]"))
            #expect(height == .init(value: "18.0", unit: "cm"))
            #expect(glucose?.unit == "mg/dL")
            #expect(score == .init(value: "7", unit: "{score}"))
        }
    }

    @Test func `of what a service like this one told keeps devices, numbers and corrections, and meets what is there`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let device = UUID()
            let told = FHIR.Device(id: device, patient: UUID(), isActive: false, kind: "watch", name: "My watch", serialNumber: "W1")
            let numbered = #","identifier":[{"system":"urn:x-heartguard:source:watch","value":"7"}],"device":{"reference":"urn:uuid:\#(device.uuidString)"}"#
            let corrected = Importing.observation(besides: numbered + #","meta":{"versionId":"3"},"note":[{"text":"typed wrong"}]"#).replacing(#""final""#, with: #""corrected""#)
            let reading = UUID()

            let outcomes = try await importing.take([(device, String(decoding: told.entry, as: UTF8.self)), (reading, corrected)])

            #expect(outcomes == [.imported, .imported])
            let kept = try #require(try await importing.readings("8867-4").first)
            #expect((kept.source, kept.sequence, kept.deviceId) == ("watch", 7, device.uuidString.lowercased()))
            #expect((kept.status, kept.version) == (.corrected, 3))
            let devices = try await importing.vitals.listDevices(.init(), context: importing.ada.context).devices
            #expect(devices.map(\.serialNumber) == ["W1"])
            #expect(devices.first?.active == false)
            // The same reading by its number, under another id.
            #expect(try await importing.take([(UUID(), corrected)], place: 2) == [.existing])
            let history = try await importing.vitals.listObservationHistory(
                .init(observationId: reading.uuidString), context: importing.ada.context)
            #expect(history.versions.map(\.reason) == ["typed wrong"])
        }
    }

    @Test func `has medications, which nobody is reminded of and which were not missed`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let medications = MedicationsService(
                medications: MedicationStore(postgres: importing.postgres), interactions: Interactions(postgres: importing.postgres))
            let warfarin = UUID()
            let request = #"{"resourceType":"MedicationRequest","status":"completed","authoredOn":"2024-05-06","medicationReference":{"reference":"Medication/7"}}"#
            let aspirin = #"{"resource":{"resourceType":"Medication","code":{"text":"Aspirin 81 MG"}}}"#

            let first = try await importing.take([(warfarin, Importing.medication("Warfarin"))])
            let second = try await importing.take([(UUID(), request)], place: 1, medication: aspirin)
            let third = try await importing.take(
                [(warfarin, Importing.medication("Warfarin")), (warfarin, Importing.medication("Heparin")), (UUID(), Importing.medication(String(repeating: "x", count: 201)))],
                place: 2)

            #expect((first, second, third) == ([.imported], [.imported], [.existing, .differs, .tooLarge]))
            let kept = try await medications.listMedications(.init(), context: importing.ada.context).medications
            #expect(Set(kept.map(\.name)) == ["Warfarin", "Aspirin 81 MG"])
            #expect(kept.allSatisfy { !$0.remindersEnabled && $0.dosage == "not stated" && $0.active == ($0.name == "Warfarin") })
        }
    }

    @Test func `retracts what was deleted, of which nothing is said but its name`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (id, deleted) = (UUID(), #"{"resourceType":"Observation","status":"entered-in-error"}"#)
            let first = try await importing.take([(id, Importing.observation())])

            let second = try await importing.take([(id, deleted), (UUID(), deleted)], place: 1)

            #expect((first, second) == ([.imported], [.imported, .enteredInError]))
            #expect(try await importing.readings("8867-4").isEmpty)
        }
    }

    @Test func `keeps no more medications than one may have`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let part = (0..<MedicationStore.maxMedications).map { (UUID(), Importing.medication("Drug \($0)", status: "stopped")) }

            let outcomes = try await importing.take(part)
            let more = try await importing.take([(UUID(), Importing.medication("One more"))], place: 500)

            #expect(outcomes.allSatisfy { $0 == .imported })
            #expect(more == [.limitReached])
        }
    }

    @Test func `is judged by the person's rules`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let alerts = AlertsService(alerts: AlertRuleRepository(postgres: importing.postgres))
            let rule = try await alerts.create(.fast(), as: importing.ada)
            try await runAsSuperuser("UPDATE vitals.alert_rules SET since = '2026-01-01' WHERE user_id = '\(importing.ada.id)' AND id = '\(rule.id)'")

            let outcomes = try await importing.take([
                (UUID(), Importing.observation("150", at: "2026-02-21T10:00:00Z")), (UUID(), Importing.observation("150", at: "2024-02-21T10:00:00Z")),
            ])

            #expect(outcomes == [.imported, .imported])
            // The other was before the rule was.
            #expect(try await alerts.alerts(of: importing.ada).count == 1)
            #expect(try await alerts.isReproduced(rule.id, of: importing.ada))
        }
    }

    @Test func `is judged for each of two people whose reading and rule have the same ids`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let alerts = AlertsService(alerts: AlertRuleRepository(postgres: importing.postgres))
            let bob = Importing(service: importing.service, vitals: importing.vitals, postgres: importing.postgres)
            let (reading, rule) = (UUID(), UUID().uuidString)

            for person in [importing, bob] {
                try await alerts.create(.fast(id: rule), as: person.ada)
                try await runAsSuperuser("UPDATE vitals.alert_rules SET since = '2026-01-01' WHERE user_id = '\(person.ada.id)' AND id = '\(rule)'")
                let outcomes = try await person.take([(reading, Importing.observation("150", at: "2026-02-21T10:00:00Z"))])
                #expect(outcomes == [.imported])
            }

            for person in [importing, bob] { #expect(try await alerts.alerts(of: person.ada).count == 1) }
        }
    }

    @Test func `retracts once what its system has taken back`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (withdrawn, other) = (UUID(), UUID())
            _ = try await importing.take([(withdrawn, Importing.observation(at: "2024-05-08T10:00:00Z")), (other, Importing.observation("73"))])
            func latest() async throws -> [String?] {
                try await importing.vitals.getLatestObservations(.init(), context: importing.ada.context).observations.map(\.quantity?.value)
            }
            #expect(try await latest() == ["72"])
            let feed = LiveFeed(postgres: importing.postgres)
            let position = try await feed.position(of: UserID(importing.ada.id))
            let part = [(withdrawn, Importing.retraction(at: "2024-05-08T10:00:00Z"))]

            let first = try await importing.take(part, place: 2)
            let again = try await importing.take(part, place: 2)
            let later = try await importing.take(part + [(withdrawn, Importing.observation(at: "2024-05-08T10:00:00Z"))], in: UUID())

            #expect((first, again, later) == ([.imported], [.imported], [.existing, .differs]))
            #expect(try await latest() == ["73"])
            #expect(try await importing.readings("8867-4").map(\.quantity?.value) == ["73"])
            let history = try await importing.history(withdrawn)
            #expect(history.map(\.observation?.status) == [.final, .enteredInError])
            #expect(history.map(\.observation?.quantity?.value) == ["72", "72"])
            #expect(history.map(\.reason) == ["", "Entered in error, says clinic."])
            let news = try await feed.news(of: UserID(importing.ada.id), behind: position).changes.map(\.event)
            #expect(news.count == 1)
            for case .observation(let reading) in news { #expect((reading.id.uuid, reading.status) == (withdrawn, .enteredInError)) }
        }
    }

    @Test func `retracts what stands before the retraction, in this part too, and nothing that is not there`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (withdrawn, other) = (UUID(), UUID())

            let outcomes = try await importing.take([
                (withdrawn, Importing.observation()), (other, Importing.retraction()), (withdrawn, Importing.retraction()),
                (withdrawn, Importing.observation()), (other, Importing.observation("73")),
            ])

            #expect(outcomes == [.imported, .enteredInError, .imported, .differs, .imported])
            #expect(try await importing.readings("8867-4").map(\.quantity?.value) == ["73"])
            #expect(try await importing.history(withdrawn).count == 2)
        }
    }

    @Test func `retracts by the number that the reading has, and keeps why`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (device, reading) = (UUID(), UUID())
            let numbered = Importing.numbered(7, by: device)
            _ = try await importing.take([Importing.device(device), (reading, Importing.observation(besides: numbered))])

            let outcomes = try await importing.take([(UUID(), Importing.retraction(besides: numbered + #","note":[{"text":"not mine"}]"#))], place: 2)

            #expect(outcomes == [.imported])
            #expect(try await importing.history(reading).map(\.reason) == ["", "not mine"])
        }
    }

    @Test func `leaves what was corrected here, and what is another reading, as it is`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let (corrected, retracted, other) = (UUID(), UUID(), UUID())
            _ = try await importing.take([
                (corrected, Importing.observation()), (retracted, Importing.observation("73")), (other, Importing.observation("74")),
            ])
            try await importing.vitals.correct(corrected.uuidString, to: "82", as: importing.ada)
            try await importing.vitals.retract(retracted.uuidString, as: importing.ada)

            let outcomes = try await importing.take(
                [
                    (corrected, Importing.retraction()), (retracted, Importing.retraction()), (other, Importing.retraction(code: "2339-0")),
                    (other, Importing.retraction(at: "2024-05-06T10:00:01+02:00")),
                ], place: 3)

            #expect(outcomes == [.differs, .existing, .differs, .differs])
            #expect(Set(try await importing.readings("8867-4").map(\.quantity?.value)) == ["82", "74"])
            #expect(try await importing.history(retracted).map(\.reason) == ["", "Not mine."])
        }
    }

    @Test func `has its retractions judged by the person's rules`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let alerts = AlertsService(alerts: AlertRuleRepository(postgres: importing.postgres))
            let rule = try await alerts.create(.fast(), as: importing.ada)
            try await runAsSuperuser("UPDATE vitals.alert_rules SET since = '2026-01-01' WHERE user_id = '\(importing.ada.id)' AND id = '\(rule.id)'")
            let (reading, never) = (UUID(), UUID())
            let (time, before) = ("2026-02-21T10:00:00Z", "2026-02-20T10:00:00Z")
            _ = try await importing.take([(reading, Importing.observation("150", at: time))])
            #expect(try await alerts.alerts(of: importing.ada).map { $0.withdrawnAt == nil } == [true])

            let outcomes = try await importing.take(
                [(never, Importing.observation("160", at: before)), (never, Importing.retraction(at: before)), (reading, Importing.retraction(at: time))],
                place: 1)

            #expect(outcomes == [.imported, .imported, .imported])
            // Nobody was told of the one that the same part has taken back.
            #expect(try await alerts.alerts(of: importing.ada).map { $0.withdrawnAt == nil } == [false])
            #expect(try await alerts.isReproduced(rule.id, of: importing.ada))
        }
    }

    @Test func `attaches readings to the device that is registered, in later parts too, which then sends none of them twice`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let registered = try await importing.vitals.registerWatch(for: importing.ada)
            let (device, first, second) = (UUID(), UUID(), UUID())

            let outcomes = try await importing.take([
                (first, Importing.observation(besides: Importing.numbered(7, by: device))), Importing.device(device),
            ])
            let later = try await importing.take([(second, Importing.observation("73", besides: Importing.numbered(8, by: device)))], place: 2)
            let own = (7...8).map { number in
                var reading = VitalsV1.Observation.heartRate(number)
                reading.deviceId = registered
                return reading
            }
            let sent = try await importing.vitals.record(own, as: importing.ada)

            #expect((outcomes, later) == ([.imported, .existing], [.imported]))
            #expect(sent.recordedCount == 0)
            #expect(sent.ids == [first, second].map { $0.uuidString.lowercased() })
            #expect(try await importing.readings("8867-4").map(\.deviceId) == [registered, registered])
            #expect(try await importing.vitals.listDevices(.init(), context: importing.ada.context).devices.map(\.id) == [registered])
            // By its number the reading of that device is retracted too.
            #expect(try await importing.take([(UUID(), Importing.retraction(besides: Importing.numbered(8, by: device)))], place: 3) == [.imported])
        }
    }

    @Test func `takes no device of another kind for the one that is registered, and no more than one may have`() async throws {
        try await withImporting { (importing: Importing) async throws in
            _ = try await importing.vitals.registerWatch(for: importing.ada)
            let scale = UUID()

            let outcomes = try await importing.take([
                Importing.device(scale, kind: "scale"), (UUID(), Importing.observation(besides: Importing.numbered(7, by: scale))),
            ])
            let many = try await importing.take((0...DeviceRepository.maxDevices).map { _ in Importing.device(UUID()) }, place: 2)

            #expect(outcomes == [.differs, .imported])
            #expect(try await importing.readings("8867-4").map(\.deviceId) == [nil])
            #expect(many == [ImportOutcome](repeating: .existing, count: DeviceRepository.maxDevices) + [.limitReached])
        }
    }

    @Test func `that names nobody or nothing is refused`() async throws {
        try await withImporting { (importing: Importing) async throws in
            let resource = ImportsV1.ImportedResource(identity: "x", content: [1])
            await expect(.invalidArgument, fields: ["user_id", "import_id", "source", "place", "resources"]) {
                try await importing.service.importRecords(.init(userId: "x", place: -1), context: importing.ada.context)
            }
            await expect(.invalidArgument, fields: ["resources[0].identity"]) {
                try await importing.service.importRecords(
                    .init(userId: importing.ada.id.uuidString, importId: UUID().uuidString, source: "s", resources: [resource]), context: importing.ada.context)
            }
        }
    }

    @Test func `has outcomes that are those of the contract`() {
        for outcome in ImportOutcome.allCases {
            if case .unrecognized = ImportsV1.ImportOutcome(rawValue: outcome.rawValue) { Issue.record("\(outcome) is not in the contract") }
        }
    }
}
