internal import Foundation
internal import Testing
internal import Time

@testable internal import FHIR

@Suite struct `A resource of FHIR` {
    private let ada = UUID()

    private func resource(_ resource: some Resource) throws -> [String: Any] {
        let entry = try #require(try JSONSerialization.jsonObject(with: Data(resource.entry)) as? [String: Any])
        #expect(entry["fullUrl"] as? String == resource.id.urn)
        let content = try #require(entry["resource"] as? [String: Any])
        #expect(content["id"] as? String == resource.id.uuidString.lowercased())
        #expect(content["resourceType"] as? String == type(of: resource).type)
        return content
    }

    private func observation(_ value: FHIR.Observation.Value, loinc: String = "8867-4", status: FHIR.Observation.Status = .final, note: String = "", offset: Int = 0) -> FHIR.Observation {
        FHIR.Observation(
            id: UUID(), subject: ada, version: 1, status: status, loinc: loinc, value: value,
            effective: DateTime(Instant(rfc3339: "2026-11-29T15:00:00Z")!, utcOffsetMinutes: offset), issued: Instant(rfc3339: "2026-11-29T15:00:01.5Z")!,
            device: nil, source: "watch", sequence: 7, note: note)
    }

    @Test(arguments: ["72", "5.40", "0.10", "-3.00", "123456789012345678901234567890.123456789"])
    func `keeps the digits of a decimal`(digits: String) throws {
        let entry = observation(.quantity(.init(value: digits, unit: "/min"))).entry

        #expect(String(decoding: entry, as: UTF8.self).contains(#""valueQuantity":{"value":\#(digits),"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}"#))
    }

    @Test func `has blood pressure as one observation with two components`() throws {
        let parts = [("8480-6", "120"), ("8462-4", "80")].map {
            FHIR.Observation.Component(loinc: $0.0, quantity: .init(value: $0.1, unit: "mm[Hg]"))
        }
        let content = try resource(observation(.components(parts), loinc: "85354-9"))

        let components = try #require(content["component"] as? [[String: Any]])
        #expect(components.map { (($0["code"] as? [String: Any])?["coding"] as? [[String: Any]])?.first?["code"] as? String } == ["8480-6", "8462-4"])
        #expect(content["valueQuantity"] == nil)
        #expect(content["category"] != nil)
    }

    @Test func `says by its status that it was corrected or never true, and why`() throws {
        let value = FHIR.Observation.Value.quantity(.init(value: "1", unit: "1"))
        let retracted = try resource(observation(value, loinc: "1234-1", status: .enteredInError, note: "not mine"))

        #expect(retracted["status"] as? String == "entered-in-error")
        #expect((retracted["note"] as? [[String: Any]])?.first?["text"] as? String == "not mine")
        #expect(retracted["category"] == nil)
    }

    @Test(arguments: [(0, "2026-11-29T15:00:00Z"), (60, "2026-11-29T16:00:00+01:00"), (-210, "2026-11-29T11:30:00-03:30"), (840, "2026-11-30T05:00:00+14:00")])
    func `tells a time by the clocks of its place`(offset: Int, text: String) throws {
        let content = try resource(observation(.quantity(.init(value: "1", unit: "1")), offset: offset))

        #expect(content["effectiveDateTime"] as? String == text)
        #expect(Instant(rfc3339: text) == Instant(rfc3339: "2026-11-29T15:00:00Z"))
    }

    @Test func `says of a medication when it is taken`() throws {
        func timing(_ timing: MedicationStatement.Timing) throws -> [String: Any] {
            let statement = MedicationStatement(
                id: UUID(), subject: ada, version: 1, isActive: true, name: "Metoprolol", rxNorm: nil, startsOn: CivilDate(year: 2026, month: 1, day: 2),
                endsOn: nil, dosage: "1 tablet", instructions: nil, route: nil, reason: nil, timing: timing)
            let content = try resource(statement)
            #expect((content["effectivePeriod"] as? [String: Any])?["start"] as? String == "2026-01-02")
            return try #require((content["dosage"] as? [[String: Any]])?.first)
        }
        func told(_ dosage: [String: Any]) -> [String: Any] { (dosage["timing"] as? [String: Any])?["repeat"] as? [String: Any] ?? [:] }

        let daily = told(try timing(.timesOfDay(["08:00", "20:00"], everyDays: 1, weekdays: [1, 7])))
        #expect(daily["timeOfDay"] as? [String] == ["08:00:00", "20:00:00"])
        #expect(daily["dayOfWeek"] as? [String] == ["mon", "sun"])
        #expect(daily["frequency"] as? Int == 2)
        #expect(told(try timing(.everyHours(6)))["periodUnit"] as? String == "h")
        let asNeeded = try timing(.asNeeded)
        #expect(asNeeded["asNeededBoolean"] as? Bool == true)
        #expect(asNeeded["timing"] == nil)
    }

    @Test func `says nothing empty, whatever its texts are`() throws {
        let texts = ["", " ", "\"", "\\", "\n", "\u{1}", "é", "👩‍⚕️", #"{"a":1}"#]
        for text in texts {
            let device = Device(id: UUID(), patient: ada, isActive: false, kind: "watch", name: text, serialNumber: "x" + text)
            let content = try resource(device)
            let names = content["deviceName"] as? [[String: Any]]
            let isBlank = text.allSatisfy(\.isWhitespace)
            #expect((names?.first?["name"] == nil) == isBlank)
            if !isBlank { #expect(names?.first?["name"] as? String == text.replacing("\u{1}", with: " ")) }
            #expect(!device.entry.contains(UInt8(ascii: "\n")))
        }
    }

    @Test func `tells why a visit was cancelled, and of no other visit`() throws {
        for (status, isTold) in [(FHIR.Appointment.Status.cancelled, true), (.noshow, true), (.booked, false), (.fulfilled, false)] {
            let visit = FHIR.Appointment(
                id: UUID(), patient: ada, practitioner: UUID(), coverage: nil, version: 2, status: status, kind: "consultation",
                start: Instant(rfc3339: "2026-11-29T15:00:00Z")!, end: Instant(rfc3339: "2026-11-29T15:30:00Z")!, reason: "chest pain", comment: nil,
                cancellationReason: "ill")
            let content = try resource(visit)
            #expect((content["cancelationReason"] != nil) == isTold)
            #expect((content["participant"] as? [Any])?.count == 2)
        }
    }

    @Test func `says of a policy what the person pays, and of a visit which policy is to pay`() throws {
        func coverage(_ copay: String?, group: String?) -> Coverage {
            Coverage(
                id: UUID(), beneficiary: ada, version: 1, status: .active, kind: "ppo", payor: "Insurer", holder: "Bob", relationship: .child,
                subscriberID: "P-1", group: group, plan: nil, start: CivilDate(year: 2026, month: 1, day: 1), end: nil, isFirst: true, copay: copay,
                deductible: nil, currency: "EUR")
        }
        let policy = coverage("25.00", group: "G-1")
        let content = try resource(policy)
        let visit = FHIR.Appointment(
            id: UUID(), patient: ada, practitioner: UUID(), coverage: policy.id, version: 1, status: .booked, kind: "consultation",
            start: Instant(rfc3339: "2026-11-29T15:00:00Z")!, end: Instant(rfc3339: "2026-11-29T15:30:00Z")!, reason: "chest pain", comment: nil,
            cancellationReason: nil)

        #expect(String(decoding: policy.entry, as: UTF8.self).contains(#""valueMoney":{"value":25.00,"currency":"EUR"}"#))
        #expect((content["beneficiary"] as? [String: Any])?["reference"] as? String == ada.urn)
        #expect((content["class"] as? [[String: Any]])?.map { $0["value"] as? String } == ["G-1"])
        let bare = try resource(coverage(nil, group: nil))
        #expect(bare["costToBeneficiary"] == nil && bare["class"] == nil)
        #expect((try resource(visit)["supportingInformation"] as? [[String: Any]])?.map { $0["reference"] as? String } == [policy.id.urn])
    }
}
