internal import Foundation
internal import JSON
internal import Testing
internal import Time

@testable internal import FHIR

@Suite struct `A resource that is taken in` {
    private let id = UUID()
    private let ada = UUID()

    private func resource(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    private func told(_ resource: some Resource) throws -> JSONValue { try JSONParser.parse(resource.entry).resource }

    private func observation(_ members: String, status: String = "final") throws -> Result<FHIR.Observation, ImportOutcome> {
        let value = try resource(
            #"{"resourceType":"Observation","status":"\#(status)","effectiveDateTime":"2020-01-01T10:00:00-05:00",\#(members)}"#)
        return Result { () throws(ImportOutcome) in try FHIR.Observation(reading: value, as: id, of: ada, from: "clinic") }
    }

    private let rate = #""code":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"http://loinc.org","code":"8867-4"}]}"#

    @Test(arguments: [(0, FHIR.Observation.Status.final), (-210, .corrected), (840, .amended), (60, .final)])
    func `says what it said when it was told`(offset: Int, status: FHIR.Observation.Status) throws {
        let value = FHIR.Observation.Value.quantity(.init(value: "5.40", unit: "mmol/L"))
        let pressure = FHIR.Observation.Value.components([
            .init(loinc: "8480-6", quantity: .init(value: "120.0", unit: "mm[Hg]")), .init(loinc: "8462-4", quantity: .init(value: "80", unit: "mm[Hg]")),
        ])
        for (loinc, value) in [("15074-8", value), ("85354-9", pressure)] {
            let observation = FHIR.Observation(
                id: id, subject: ada, version: status == .final ? 1 : 3, status: status, loinc: loinc, value: value,
                effective: DateTime(Instant(rfc3339: "2026-11-29T15:00:00.25Z")!, utcOffsetMinutes: offset), issued: Instant(rfc3339: "2026-11-29T15:00:01.5Z")!,
                device: UUID(), source: "cgm", sequence: 7, note: status == .final ? "" : "typed wrong")

            #expect(try FHIR.Observation(reading: told(observation), as: id, of: ada, from: "other") == observation)
        }
    }

    @Test func `says of a medication what it said when it was told`() throws {
        let timings: [MedicationStatement.Timing] = [
            .asNeeded, .everyHours(6), .timesOfDay(["08:00", "20:00"], everyDays: 1, weekdays: []), .timesOfDay(["09:30"], everyDays: 3, weekdays: []),
            .timesOfDay(["09:30"], everyDays: 1, weekdays: [1, 7]),
        ]
        for (number, timing) in timings.enumerated() {
            let medication = MedicationStatement(
                id: id, subject: ada, version: 1, isActive: number > 0, name: "Warfarin", rxNorm: "11289", startsOn: CivilDate("2026-03-01")!,
                endsOn: number > 2 ? CivilDate("2027-01-31")! : nil, dosage: "5 mg", instructions: "with food", route: "oral", reason: "AF", timing: timing)

            #expect(try MedicationStatement(reading: told(medication), nil, as: id, of: ada) == medication)
        }
    }

    @Test func `says of a visit and of a device what it said when it was told`() throws {
        let visit = Appointment(
            id: id, patient: ada, practitioner: UUID(), coverage: nil, version: 1, status: .cancelled, kind: "follow_up",
            start: Instant(rfc3339: "2026-11-29T15:00:00Z")!, end: Instant(rfc3339: "2026-11-29T15:30:00Z")!, reason: "palpitations", comment: "bring the diary", cancellationReason: "ill")
        let device = FHIR.Device(id: id, patient: ada, isActive: true, kind: "watch", name: "My watch", serialNumber: "W1")

        #expect(try Appointment(reading: told(visit), as: id, of: ada) == visit)
        #expect(try FHIR.Device(reading: told(device), as: id, of: ada) == device)
    }

    /// Whom a visit was to whose patient is called `urn:uuid:1…` there.
    private func visited(_ actors: String...) throws -> UUID? {
        let participants = actors.map { #"{"actor":{"reference":"\#($0)"}}"# }.joined(separator: ",")
        let visit = #"{"resourceType":"Appointment","status":"fulfilled","start":"2024-05-06T10:00:00Z","end":"2024-05-06T10:30:00Z","participant":[\#(participants)]}"#
        return try Appointment(
            reading: resource(visit), as: id, of: ada, calledThere: ["urn:uuid:11111111-1111-4111-8111-111111111111"]
        ).practitioner
    }

    @Test func `that is a visit is to a practitioner, and not to whom another account or system calls its patient`() throws {
        let (other, doctor) = (UUID(), UUID())

        #expect(try visited("urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:\(doctor)") == doctor)
        #expect(try visited("Patient/\(other)", "https://a.example/fhir/Practitioner/\(doctor)") == doctor)
        #expect(try visited("RelatedPerson/\(other)", "Location/\(other)", "urn:uuid:\(doctor)") == doctor)
        #expect(try visited("Organization/\(other)", "urn:uuid:\(other)", "Practitioner/\(doctor)") == doctor)
        #expect(try visited("Patient/\(other)", "PractitionerRole/\(doctor)") == doctor)
        #expect(try visited("Patient/\(other)", "RelatedPerson/\(other)", "urn:uuid:\(ada)") == nil)
    }

    @Test(arguments: [("2", Int64(2)), ("7", 7), ("9223372036854775807", 2), ("-1", 2), ("a1b2", 2)])
    func `that was changed has its version, if that can grow`(given: String, version: Int64) throws {
        let members = #""meta":{"versionId":"\#(given)"},\#(rate),"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"/min"}"#

        #expect(try observation(members, status: "amended").get().version == version)
    }

    @Test func `keeps its time by the clocks of its place, and is numbered by its id`() throws {
        let read = try observation(#"\#(rate),"valueQuantity":{"value":72.50,"system":"http://unitsofmeasure.org","code":"/min"}"#).get()

        #expect(read.effective == DateTime(Instant(rfc3339: "2020-01-01T15:00:00Z")!, utcOffsetMinutes: -300))
        #expect((read.source, read.loinc) == ("clinic", "8867-4"))
        #expect(read.value == .quantity(.init(value: "72.50", unit: "/min")))
        #expect(read.sequence >= 0)
        #expect(try observation(#"\#(rate),"valueQuantity":{"value":72.50,"system":"http://unitsofmeasure.org","code":"/min"}"#).get() == read)
    }

    @Test(arguments: [
        (#""valueString":"high""#, ImportOutcome.unsupportedValue), (#""dataAbsentReason":{}"#, .noValue), (#""valueQuantity":{"unit":"/min"}"#, .noValue),
        (#""valueQuantity":{"value":"72"}"#, .malformed), (#""valueQuantity":{"value":72,"comparator":"<"}"#, .unsupportedValue),
        (#""valueQuantity":{"value":72,"unit":"bpm"}"#, .unsupportedUnit),
        (#""component":[{"code":{}}]"#, .unsupportedCode), (#""valueInteger":7,"component":[{"code":{}}]"#, .unsupportedValue),
    ]) func `without a quantity is skipped, and why is said`(members: String, outcome: ImportOutcome) throws {
        #expect(try observation("\(rate),\(members)") == .failure(outcome))
    }

    @Test(arguments: [
        ("preliminary", ImportOutcome.notFinal), ("registered", .notFinal), ("entered-in-error", .enteredInError), ("cancelled", .notFinal), ("odd", .malformed),
    ]) func `that does not stand is skipped`(status: String, outcome: ImportOutcome) throws {
        #expect(try observation(#"\#(rate),"valueQuantity":{}"#, status: status) == .failure(outcome))
    }

    @Test func `that was entered in error says which it is, with a value or without`() throws {
        func retracted(_ text: String) throws -> RetractedObservation? {
            RetractedObservation(reading: try resource(text), as: id, from: "clinic")
        }
        let time = Instant(rfc3339: "2026-11-29T15:00:00Z")!
        let ours = FHIR.Observation(
            id: id, subject: ada, version: 2, status: .enteredInError, loinc: "8867-4", value: .quantity(.init(value: "72", unit: "/min")),
            effective: DateTime(time, utcOffsetMinutes: 60), issued: time, device: ada, source: "watch", sequence: 7, note: "not mine")

        let numbered = try #require(RetractedObservation(reading: try told(ours), as: id, from: "clinic"))
        let bare = try #require(try retracted(#"{"status":"entered-in-error","note":[{"text":"x"}]}"#))
        let panel = try #require(try retracted(#"{"status":"entered-in-error","code":{"coding":[{"system":"http://loinc.org","code":"55284-4"}]}}"#))

        #expect((numbered.source, numbered.sequence, numbered.device, numbered.note) == ("watch", 7, ada, "not mine"))
        #expect((bare.source, bare.device, bare.note) == ("clinic", nil, ""))
        // One is numbered by its id as it was when it stood.
        #expect(try bare.sequence == observation(#"\#(rate),"valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"/min"}"#).get().sequence)
        #expect(numbered.mayBe(of: "8867-4", at: time))
        #expect(!numbered.mayBe(of: "8867-4", at: time + .seconds(1)) && !numbered.mayBe(of: "2339-0", at: time))
        #expect(bare.mayBe(of: "2339-0", at: time) && panel.mayBe(of: "85354-9", at: time) && panel.mayBe(of: "55284-4", at: time))
        #expect(!panel.mayBe(of: "8867-4", at: time))
        #expect(try retracted(#"{"status":"final"}"#).map(\.id) == nil)
    }

    @Test(arguments: ["2020", "2020-01-01", "2020-01-01T10:00:00", "yesterday"]) func `without a time of day is skipped`(time: String) throws {
        let value = try resource(
            #"{"resourceType":"Observation","status":"final",\#(rate),"effectiveDateTime":"\#(time)","valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"1"}}"#)

        #expect(throws: ImportOutcome.unsupportedTime) { try FHIR.Observation(reading: value, as: id, of: ada, from: "clinic") }
    }

    @Test func `that is a prescription is what the person takes by it`() throws {
        let request = #"""
            {"resourceType":"MedicationRequest","status":"active","intent":"order","authoredOn":"2024-05-06T10:00:00Z","medicationReference":{"reference":"#m"},
             "contained":[{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"243670","display":"Aspirin 81 MG"}]}}],
             "dosageInstruction":[{"doseAndRate":[{"doseQuantity":{"value":1,"unit":"tablet"}}],"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}}}]}
            """#

        let read = try MedicationStatement(reading: resource(request), nil, as: id, of: ada)

        #expect((read.name, read.rxNorm, read.dosage) == ("Aspirin 81 MG", "243670", "1 tablet"))
        #expect(read.startsOn == CivilDate("2024-05-06")!)
        // Twice a day is said, and not when.
        #expect(read.timing == .asNeeded)
        #expect(throws: ImportOutcome.unresolved) {
            try MedicationStatement(
                reading: resource(#"{"resourceType":"MedicationRequest","status":"active","authoredOn":"2024-05-06"}"#), nil, as: id, of: ada)
        }
    }

    @Test(arguments: [
        ("2024-06-07T10:00:00Z", "2024-06-07"), ("2024-06-07", "2024-06-07"), ("2024-02", "2024-02-29"), ("2025-02", "2025-02-28"), ("2024", "2024-12-31"),
    ])
    func `that is taken until some month or year is taken until it is over`(end: String, last: String) throws {
        let statement = #"{"resourceType":"MedicationStatement","status":"active","effectivePeriod":{"start":"2024-01-01","end":"\#(end)"},"medicationCodeableConcept":{"text":"X"}}"#

        let read = try MedicationStatement(reading: resource(statement), nil, as: id, of: ada)

        #expect(read.endsOn == CivilDate(last)!)
    }

    private func timing(_ members: String) throws -> MedicationStatement.Timing {
        let statement = #"{"resourceType":"MedicationStatement","status":"active","effectiveDateTime":"2024-05-06","medicationCodeableConcept":{"text":"X"},"dosage":[{\#(members)}]}"#
        return try MedicationStatement(reading: resource(statement), nil, as: id, of: ada).timing
    }

    @Test(arguments: [
        #""asNeededBoolean":true,"timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}}"#,
        #""asNeededCodeableConcept":{"text":"pain"},"timing":{"repeat":{"period":1,"periodUnit":"d","timeOfDay":["08:00:00"]}}"#,
    ])
    func `that is taken as needed is never due`(dosage: String) throws {
        #expect(try timing(dosage) == .asNeeded)
        #expect(try timing(#""asNeededBoolean":false,"timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}}"#) == .everyHours(4))
    }

    @Test(arguments: [
        (#""period":12.0,"periodUnit":"h""#, .everyHours(12)), (#""frequency":1.0,"period":6.00,"periodUnit":"h""#, .everyHours(6)),
        (#""period":0.5,"periodUnit":"h""#, .asNeeded), (#""frequency":0.5,"period":6,"periodUnit":"h""#, .asNeeded),
        (#""period":4,"periodMax":6,"periodUnit":"h""#, .asNeeded), (#""period":1.5,"periodUnit":"d","timeOfDay":["08:00:00"]"#, .asNeeded),
        (#""period":2.0,"periodUnit":"d","timeOfDay":["08:00:00"]"#, .timesOfDay(["08:00"], everyDays: 2, weekdays: [])),
        (#""period":1,"periodUnit":"wk","dayOfWeek":["mon"],"timeOfDay":["08:00:00"]"#, .timesOfDay(["08:00"], everyDays: 1, weekdays: [1])),
        (#""period":2,"periodUnit":"wk","dayOfWeek":["mon"],"timeOfDay":["08:00:00"]"#, .asNeeded),
    ] as [(String, MedicationStatement.Timing)])
    func `is due as often as it says, or not at all where that makes no plan`(rule: String, expected: MedicationStatement.Timing) throws {
        #expect(try timing(#""timing":{"repeat":{\#(rule)}}"#) == expected)
    }

    @Test func `that is an encounter is a visit that took place`() throws {
        let encounter = #"""
            {"resourceType":"Encounter","status":"finished","class":{"code":"EMER"},"type":[{"text":"Emergency room admission"}],
             "period":{"start":"2024-05-06T10:00:00+02:00","end":"2024-05-06T10:00:00+02:00"},
             "participant":[{"individual":{"reference":"Practitioner/7","display":"Dr. Who"}}],"serviceProvider":{"display":"St. Mary"}}
            """#

        let read = try Appointment(reading: resource(encounter), as: id, of: ada)

        #expect((read.status, read.kind, read.reason, read.comment) == (.fulfilled, "emergency", "Emergency room admission", "Dr. Who, St. Mary"))
        #expect(read.practitioner == nil)
        #expect(read.end == read.start + .seconds(60))
        #expect(throws: ImportOutcome.notFinal) {
            try Appointment(reading: resource(#"{"resourceType":"Appointment","status":"booked"}"#), as: id, of: ada)
        }
    }

    @Test func `that is a device of another kind is not kept`() throws {
        #expect(throws: ImportOutcome.notKept) {
            try FHIR.Device(reading: resource(#"{"resourceType":"Device","type":{"text":"Pacemaker"},"serialNumber":"1"}"#), as: id, of: ada)
        }
    }
}
