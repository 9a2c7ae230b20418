internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

extension Medication {
    static func parsed(
        _ given: VitalsV1.Medication?, knowsVersion: Bool, zones: TimeZoneDatabase = .system, today: Instant = .now()
    ) throws -> Medication {
        guard let given else { throw RPCError.invalid("medication", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id: UUID? =
            given.id.isEmpty && !knowsVersion
            ? UUIDv7.make() : violations.value("medication.id", given.id) { text throws(InvalidValue) in
                guard let id = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
                return id
            }
        if knowsVersion {
            violations.check(given.version > 0, "medication.version", "A version is one or more.")
        } else {
            violations.check(given.version == 0, "medication.version", "The service sets it.")
        }
        let name = violations.text("medication.name", given.name, most: 200, isNeeded: true)
        let dosage = violations.text("medication.dosage", given.dosage, most: 200, isNeeded: true)
        let instructions = violations.text("medication.instructions", given.instructions, most: 2_000, isNeeded: false)
        let reason = violations.text("medication.reason", given.reason, most: 500, isNeeded: false)
        let digits = given.rxnormCode.utf8
        violations.check(digits.count <= 8 && digits.allSatisfy(\.isASCIIDigit), "medication.rxnorm_code", "It has up to 8 digits.")
        let form = violations.value("medication.form", given.form, Form?.init(_:))
        let startsOn = violations.value("medication.starts_on", given.startsOn, CivilDate.init(checking:))
        let endsOn = given.endsOn.isEmpty ? nil : violations.value("medication.ends_on", given.endsOn, CivilDate.init(checking:))
        if let startsOn, let endsOn { violations.check(startsOn <= endsOn, "medication.ends_on", "It is before the first day.") }
        let schedule = violations.schedule(given.schedule, in: zones)
        let values = try violations.complete(id, name, dosage, startsOn, schedule)
        return Medication(
            id: values.0, name: values.1, rxnormCode: given.rxnormCode.isEmpty ? nil : given.rxnormCode, dosage: values.2, form: form ?? nil,
            schedule: try values.4.json, instructions: instructions.flatMap { $0.isEmpty ? nil : $0 }, reason: reason.flatMap { $0.isEmpty ? nil : $0 },
            startsOn: values.3, endsOn: endsOn, isActive: given.active, remindersEnabled: given.remindersEnabled,
            version: max(1, given.version))
    }
}

extension FieldViolations {
    mutating func text(_ field: String, _ given: String, most: Int, isNeeded: Bool) -> String? {
        value(field, given) { text throws(InvalidValue) in
            guard !isNeeded || text.contains(where: { !$0.isWhitespace }) else { throw InvalidValue("is needed") }
            guard text.codePointCount <= most else { throw InvalidValue("has more than \(most) characters") }
            guard !text.hasNUL else { throw InvalidValue("holds a NUL character") }
            return text
        }
    }

    fileprivate mutating func schedule(_ given: VitalsV1.MedicationSchedule?, in zones: TimeZoneDatabase) -> MedicationSchedule? {
        guard let given, let plan = given.plan else {
            add("medication.schedule", "The field is needed, with a plan.")
            return nil
        }
        let zone = value("medication.schedule.time_zone", given.timeZone) { name throws(InvalidValue) in
            _ = try zones.clocks(name)
            return name
        }
        let parsed: MedicationSchedule.Plan? = switch plan {
        case .timesOfDay(let times): timesOfDay(times)
        case .everyHours(let hours): everyHours(hours)
        case .asNeeded: .asNeeded
        }
        guard let zone, let parsed else { return nil }
        return MedicationSchedule(zone: zone, plan: parsed)
    }

    private mutating func timesOfDay(_ given: VitalsV1.TimesOfDay) -> MedicationSchedule.Plan? {
        let field = "medication.schedule.times_of_day"
        guard (1...24).contains(given.times.count) else {
            add("\(field).times", "There must be 1 to 24 of them.")
            return nil
        }
        var times: [MedicationSchedule.TimeOfDay] = []
        for (position, text) in given.times.enumerated() {
            if let time = value("\(field).times[\(position)]", text, MedicationSchedule.TimeOfDay.init(checking:)) { times.append(time) }
        }
        check(Set(times).count == times.count, "\(field).times", "Two of them are the same.")
        check(
            given.weekdays.allSatisfy { (1...7).contains($0) } && Set(given.weekdays).count == given.weekdays.count, "\(field).weekdays",
            "Each is 1 (Monday) to 7 (Sunday), and is there once.")
        check((0...365).contains(given.intervalDays), "\(field).interval_days", "It is 1 to 365, or 0 for every day.")
        check(given.weekdays.isEmpty || given.intervalDays == 0, "\(field).interval_days", "It goes without weekdays.")
        guard times.count == given.times.count, Set(times).count == times.count else { return nil }
        let pattern: MedicationSchedule.DayPattern =
            if given.intervalDays > 1 { .interval(Int(given.intervalDays)) } else if (1...6).contains(given.weekdays.count) {
                .weekdays(Set(given.weekdays.map(Int.init)))
            } else { .everyDay }
        return .timesOfDay(times.sorted(), pattern)
    }

    private mutating func everyHours(_ given: VitalsV1.EveryHours) -> MedicationSchedule.Plan? {
        let field = "medication.schedule.every_hours"
        check((1...168).contains(given.hours), "\(field).hours", "It is 1 to 168.")
        let first = value("\(field).first_time", given.firstTime, MedicationSchedule.TimeOfDay.init(checking:))
        guard let first, (1...168).contains(given.hours) else { return nil }
        return .everyHours(Int(given.hours), first: first)
    }
}

extension MedicationSchedule.TimeOfDay {
    init(checking text: String) throws(InvalidValue) {
        guard let time = MedicationSchedule.TimeOfDay(text: text) else { throw InvalidValue("is not a time of day such as 08:00") }
        self = time
    }
}

extension Medication.Form? {
    init(_ form: VitalsV1.MedicationForm) throws(InvalidValue) {
        switch form {
        case .unspecified: self = nil
        case .tablet: self = .tablet
        case .capsule: self = .capsule
        case .liquid: self = .liquid
        case .injection: self = .injection
        case .inhaler: self = .inhaler
        case .patch: self = .patch
        case .drops: self = .drops
        case .cream: self = .cream
        case .other: self = .other
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.MedicationForm {
    init(_ form: Medication.Form?) {
        self = switch form {
        case nil: .unspecified
        case .tablet: .tablet
        case .capsule: .capsule
        case .liquid: .liquid
        case .injection: .injection
        case .inhaler: .inhaler
        case .patch: .patch
        case .drops: .drops
        case .cream: .cream
        case .other: .other
        }
    }
}

extension Period {
    /// A period of so many days at most.
    init(_ startAt: GoogleProtobuf.Timestamp?, _ endAt: GoogleProtobuf.Timestamp?, days: Int64) throws(RPCError) {
        var violations = FieldViolations()
        func instant(_ timestamp: GoogleProtobuf.Timestamp?) throws(InvalidValue) -> Instant {
            guard let timestamp else { throw InvalidValue("is needed") }
            return try Instant(checking: timestamp)
        }
        let start = violations.value("start_at", startAt, instant)
        let end = violations.value("end_at", endAt, instant)
        let period = try violations.complete(start, end)
        guard period.1 - period.0 <= .seconds(days * 86_400) else { throw .invalid("end_at", InvalidValue("is more than \(days) days behind the start")) }
        do throws(InvalidValue) { self = try Period(start: period.0, end: period.1) } catch { throw .invalid("end_at", error) }
    }
}

extension RecordedDose {
    init(_ request: VitalsV1.RecordDoseRequest, now: Instant = .now()) throws(RPCError) {
        var violations = FieldViolations()
        let medication = violations.value("medication_id", request.medicationId, UUID.init(checking:))
        let scheduledAt = violations.optional("scheduled_at", request.scheduledAt) { timestamp throws(InvalidValue) in
            let instant = try Instant(checking: timestamp)
            guard instant <= now + .seconds(86_400) else { throw InvalidValue("is more than a day ahead") }
            return instant
        }
        let outcome = violations.value("outcome", request.outcome) { outcome throws(InvalidValue) in
            switch outcome {
            case .taken: DoseOutcome.taken
            case .skipped: DoseOutcome.skipped
            case .unspecified: throw InvalidValue("is needed")
            case .unrecognized: throw InvalidValue("is none of the values that this version knows")
            }
        }
        let at = violations.optional("at", request.at) { timestamp throws(InvalidValue) in try Instant(measuredAt: timestamp, now: now) }
        let note = violations.text("note", request.note, most: 500, isNeeded: false)
        var id: UUID? = UUIDv7.make()
        if request.scheduledAt == nil {
            id = violations.value("dose_id", request.doseId, UUID.init(checking:))
            violations.check(request.outcome != .skipped, "outcome", "What is taken as needed is not skipped.")
        } else {
            violations.check(request.doseId.isEmpty, "dose_id", "A scheduled dose is known by its time.")
        }
        let values = try violations.complete(id, medication, outcome, note)
        self.init(id: values.0, medication: values.1, scheduledAt: scheduledAt, outcome: values.2, at: at ?? now, note: values.3)
    }
}

extension UUID {
    init(checking text: String) throws(InvalidValue) {
        guard let id = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
        self = id
    }
}

extension VitalsV1.CheckInteractionsRequest {
    func parsed() throws(RPCError) -> [String] {
        var violations = FieldViolations()
        violations.check(drugs.count <= 50, "drugs", "There may be 50 of them.")
        violations.check(!drugs.isEmpty || includeMine, "drugs", "There must be one, unless the caller's own are included.")
        for (position, drug) in drugs.prefix(50).enumerated() { _ = violations.text("drugs[\(position)]", drug, most: 200, isNeeded: true) }
        try violations.throwIfAny()
        return drugs
    }
}

extension VitalsV1.Medication {
    init(_ medication: Medication) throws {
        self.init(
            id: medication.id.text, version: medication.version, name: medication.name, rxnormCode: medication.rxnormCode ?? "",
            dosage: medication.dosage, form: .init(medication.form), schedule: .init(try MedicationSchedule(stored: medication.schedule)),
            instructions: medication.instructions ?? "", reason: medication.reason ?? "", startsOn: medication.startsOn.description,
            endsOn: medication.endsOn?.description ?? "", active: medication.isActive, remindersEnabled: medication.remindersEnabled)
    }
}

extension VitalsV1.MedicationSchedule {
    init(_ schedule: MedicationSchedule) {
        self.init(timeZone: schedule.zone)
        plan = switch schedule.plan {
        case .asNeeded: .asNeeded(.init())
        case .everyHours(let hours, let first): .everyHours(.init(hours: Int32(hours), firstTime: first.text))
        case .timesOfDay(let times, let pattern): .timesOfDay(.init(times, pattern))
        }
    }
}

extension VitalsV1.TimesOfDay {
    fileprivate init(_ times: [MedicationSchedule.TimeOfDay], _ pattern: MedicationSchedule.DayPattern) {
        self.init(times: times.map(\.text))
        switch pattern {
        case .everyDay: break
        case .weekdays(let days): weekdays = days.sorted().map(Int32.init)
        case .interval(let days): intervalDays = Int32(days)
        }
    }
}

extension VitalsV1.Dose {
    init(_ dose: DueDose) {
        self.init(
            medicationId: dose.medication.text, medicationName: dose.name, dosage: dose.dosage,
            scheduledAt: .init(dose.scheduledAt), outcome: .init(dose.recorded?.outcome), at: dose.recorded.map { .init($0.at) },
            note: dose.recorded?.note ?? "")
    }

    init(_ dose: RecordedDose, of medication: Medication) {
        self.init(
            medicationId: dose.medication.text, medicationName: medication.name, dosage: medication.dosage,
            scheduledAt: dose.scheduledAt.map { .init($0) }, outcome: .init(dose.outcome), at: .init(dose.at), note: dose.note)
    }
}

extension VitalsV1.DoseOutcome {
    init(_ outcome: DoseOutcome?) {
        self = switch outcome {
        case nil: .unspecified
        case .taken: .taken
        case .skipped: .skipped
        }
    }
}

extension VitalsV1.Adherence {
    init(_ count: AdherenceCount) {
        self.init(
            medicationId: count.medication.text, medicationName: count.name, dueCount: Int32(clamping: count.due),
            takenCount: Int32(clamping: count.taken), skippedCount: Int32(clamping: count.skipped), missedCount: Int32(clamping: count.missed))
    }
}

extension VitalsV1.Interaction {
    init(_ named: NamedInteraction) {
        let interaction = named.interaction
        self.init(
            first: named.first, second: named.second, severity: .init(interaction.severity), mechanism: interaction.mechanism,
            effect: interaction.effect, management: interaction.management, source: interaction.source)
    }
}

extension VitalsV1.InteractionSeverity {
    init(_ severity: DrugInteraction.Severity) {
        self = switch severity {
        case .minor: .minor
        case .moderate: .moderate
        case .major: .major
        case .contraindicated: .contraindicated
        }
    }
}
