package import FoundationEssentials
package import Time

/// A drug that a person takes or took, by the person's own word (FHIR R4, MedicationStatement; a MedicationRequest would be a prescriber's order).
package struct MedicationStatement: Resource {
    package static let type = "MedicationStatement"

    /// When it is taken (FHIR R4, Timing.repeat).
    package enum Timing: Hashable, Sendable {
        /// At these times of day, such as `08:00`, every so many days; on these days of the week (1: Monday), if there are any.
        case timesOfDay([String], everyDays: Int, weekdays: [Int])
        case everyHours(Int)
        case asNeeded
    }

    package let id: UUID
    package let subject: UUID
    package let version: Int64
    package let isActive: Bool
    package let name: String
    package let rxNorm: String?
    package let startsOn: CivilDate
    package let endsOn: CivilDate?
    package let dosage: String
    package let instructions: String?
    package let route: String?
    package let reason: String?
    package let timing: Timing

    package init(
        id: UUID, subject: UUID, version: Int64, isActive: Bool, name: String, rxNorm: String?, startsOn: CivilDate, endsOn: CivilDate?,
        dosage: String, instructions: String?, route: String?, reason: String?, timing: Timing
    ) {
        self.id = id
        self.subject = subject
        self.version = version
        self.isActive = isActive
        self.name = name
        self.rxNorm = rxNorm
        self.startsOn = startsOn
        self.endsOn = endsOn
        self.dosage = dosage
        self.instructions = instructions
        self.route = route
        self.reason = reason
        self.timing = timing
    }

    package var members: KeyValuePairs<String, Element?> {
        [
            "meta": .object(["versionId": .string("\(version)")]),
            "status": .string(isActive ? "active" : "completed"),
            "medicationCodeableConcept": .concept(system: System.rxNorm, code: rxNorm, text: name),
            "subject": .reference(subject),
            "effectivePeriod": .object(["start": .string("\(startsOn)"), "end": .text(endsOn.map { "\($0)" })]),
            "informationSource": .reference(subject),
            "reasonCode": .one(reason.map { .concept(text: $0) }),
            "dosage": .list([
                .object([
                    "text": .string(dosage), "patientInstruction": .text(instructions), "timing": timing.element,
                    "asNeededBoolean": timing == .asNeeded ? .boolean(true) : nil, "route": route.map { .concept(text: $0) },
                ])
            ]),
        ]
    }
}

extension MedicationStatement.Timing {
    fileprivate var element: Element? {
        switch self {
        case .asNeeded: nil
        case .everyHours(let hours):
            .object(["repeat": .object(["frequency": .number(1), "period": .number(hours), "periodUnit": .string("h")])])
        case .timesOfDay(let times, let days, let weekdays):
            .object([
                "repeat": .object([
                    "frequency": .number(times.count), "period": .number(days), "periodUnit": .string("d"),
                    "dayOfWeek": .list(weekdays.map { .string(Self.days[($0 - 1) % 7]) }), "timeOfDay": .list(times.map { .string("\($0):00") }),
                ])
            ])
        }
    }

    static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
}
