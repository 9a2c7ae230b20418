internal import Application
internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What a reading that another system tells of is known by here: its id, or what its device, or else its source, has numbered it with.
struct ImportedIdentity: Hashable, Sendable {
    let id: ObservationID
    let source: ObservationSource
    var device: DeviceID?
    let sequence: SequenceNumber
}

/// A reading that another system has told of.
struct ImportedObservation: Sendable {
    let id: ObservationID
    var new: NewObservation
    let status: ObservationStatus
    let version: Int64
    let reason: String

    var identity: ImportedIdentity { ImportedIdentity(id: id, source: new.source, device: new.device, sequence: new.sequence) }
}

/// Samples of a device's signal that another system has told of.
struct ImportedSamples: Sendable {
    let device: DeviceID
    let metric: SeriesMetric
    let samples: [Sample]

    /// Throws why they cannot be kept: the rules are those for samples that a device appends.
    init(_ told: FHIR.SampledObservation, now: Instant) throws(ImportOutcome) {
        guard told.values.count <= SampleBatch.maxSamples else { throw .tooLarge }
        // Those between are between them.
        for index in [0, told.values.count - 1] {
            _ = try made(or: .unsupportedTime) { () throws(InvalidValue) in try Instant(measuredAt: .init(told.instant(at: index)), now: now) }
        }
        device = DeviceID(told.device)
        metric = try SeriesMetric(told.metric)
        samples = told.values.indices.compactMap { index in
            told.values[index].map { value in
                Sample(at: told.instant(at: index), sequence: SequenceNumber(stored: told.number(at: index)), value: value, revision: told.revision)
            }
        }
    }
}

extension SeriesMetric {
    fileprivate init(_ told: FHIR.SampledObservation.Metric) throws(ImportOutcome) {
        switch told {
        case .channel(let name): self = .channel(try made(or: .unsupportedCode) { () throws(InvalidValue) in try MetricName(name) })
        case .coded(let loinc, let unit):
            let code = try made(or: .unsupportedCode) { () throws(InvalidValue) in try LOINCCode(loinc) }
            self = .coded(code, in: try made(or: .unsupportedUnit) { () throws(InvalidValue) in try UCUMUnit(wished: unit, of: code) })
        }
    }
}

/// That a reading was entered in error, as another system says.
struct ImportedRetraction: Sendable {
    var identity: ImportedIdentity
    let reason: String
    private let told: FHIR.RetractedObservation

    /// Why is kept as far as it can be; else who says so, for no reading should stand because of that.
    init(_ told: FHIR.RetractedObservation, from source: ObservationSource) throws(ImportOutcome) {
        let maker = try made(or: .malformed) { () throws(InvalidValue) in try ObservationSource(told.source) }
        let sequence = try made(or: .malformed) { () throws(InvalidValue) in try SequenceNumber(told.sequence) }
        identity = ImportedIdentity(id: ObservationID(told.id), source: maker, device: told.device.map { DeviceID($0) }, sequence: sequence)
        let isReason = (1...500).contains(told.note.codePointCount) && !told.note.hasNUL
        reason = isReason ? told.note : "Entered in error, says \(source.text)."
        self.told = told
    }

    /// Whether it may be about a reading: an id that two systems use for two is no reason to retract one.
    func isAbout(_ reading: Observation) -> Bool { told.mayBe(of: reading.code.text, at: reading.effectiveAt) }
}

extension ImportedObservation {
    /// Throws why it cannot be kept: the rules are those for readings that are recorded, but for units, which are converted where that is possible.
    init(_ told: FHIR.Observation, now: Instant) throws(ImportOutcome) {
        let code = try made(or: .unsupportedCode) { () throws(InvalidValue) in try LOINCCode(told.loinc) }
        let effectiveAt = try made(or: .unsupportedTime) { () throws(InvalidValue) in
            try Instant(measuredAt: .init(told.effective.instant), now: now)
        }
        let offset = try made(or: .unsupportedTime) { () throws(InvalidValue) in
            try UTCOffset(minutes: Int32(clamping: told.effective.utcOffsetMinutes))
        }
        let source = try made(or: .malformed) { () throws(InvalidValue) in try ObservationSource(told.source) }
        let sequence = try made(or: .malformed) { () throws(InvalidValue) in try SequenceNumber(told.sequence) }
        guard told.note.codePointCount <= 500, !told.note.hasNUL else { throw .tooLarge }
        self.init(
            id: ObservationID(told.id),
            new: NewObservation(
                code: code, measurement: try Measurement(told.value, of: code), effectiveAt: effectiveAt, utcOffset: offset, source: source,
                device: told.device.map { DeviceID($0) }, sequence: sequence),
            status: ObservationStatus(told.status), version: told.version, reason: told.note)
    }
}

extension Measurement {
    fileprivate init(_ told: FHIR.Observation.Value, of code: LOINCCode) throws(ImportOutcome) {
        switch told {
        case .quantity(let quantity):
            guard code != VitalSigns.bloodPressurePanel else { throw .unsupportedValue }
            self = .quantity(try Quantity(quantity, of: code))
        case .components(let parts):
            let codes = Set(parts.map(\.loinc))
            let isPressure = code == VitalSigns.bloodPressurePanel
            guard parts.count <= 16, codes.count == parts.count,
                !isPressure || codes == [VitalSigns.systolicPressure.text, VitalSigns.diastolicPressure.text]
            else { throw .unsupportedValue }
            var components: [Component] = []
            for part in parts {
                let code = try made(or: .unsupportedCode) { () throws(InvalidValue) in try LOINCCode(part.loinc) }
                components.append(Component(code: code, quantity: try Quantity(part.quantity, of: code)))
            }
            self = .components(components)
        }
    }
}

extension Quantity {
    /// In a unit that its code can have: as it was told, or converted.
    fileprivate init(_ told: FHIR.Observation.Quantity, of code: LOINCCode) throws(ImportOutcome) {
        let value = try made(or: .unsupportedValue) { () throws(InvalidValue) in try DecimalNumber(told.value) }
        let unit = try made(or: .unsupportedUnit) { () throws(InvalidValue) in try UCUMUnit(told.unit) }
        guard let allowed = VitalSigns.units(of: code), !allowed.contains(unit.text) else {
            self.init(value: value, unit: unit)
            return
        }
        let target = UCUMUnit(stored: allowed[0])
        guard let conversion = UnitConversion(from: unit, to: target, of: code) else { throw .unsupportedUnit }
        self.init(value: conversion.convert(value), unit: target)
    }
}

extension ObservationStatus {
    fileprivate init(_ status: FHIR.Observation.Status) {
        self = switch status {
        case .final: .final
        case .amended: .amended
        case .corrected: .corrected
        case .enteredInError: .enteredInError
        }
    }
}

extension Medication {
    /// Nobody has asked to be reminded of it. Its times are by UTC: FHIR does not say where the person's clocks are.
    init(_ told: FHIR.MedicationStatement) throws(ImportOutcome) {
        for (text, most) in [(told.name, 200), (told.dosage, 200), (told.instructions ?? "", 2_000), (told.reason ?? "", 500), (told.route ?? "", 64)] {
            guard text.codePointCount <= most else { throw .tooLarge }
            guard !text.hasNUL else { throw .malformed }
        }
        let code = told.rxNorm.flatMap { (1...8).contains($0.utf8.count) && $0.utf8.allSatisfy(\.isASCIIDigit) ? $0 : nil }
        let schedule: JSONB
        do { schedule = try MedicationSchedule(zone: "UTC", plan: .init(told.timing)).json } catch { throw .malformed }
        self.init(
            id: told.id, name: told.name, rxnormCode: code, dosage: told.dosage.isEmpty ? "not stated" : told.dosage, route: told.route.notEmpty,
            schedule: schedule, instructions: told.instructions.notEmpty, reason: told.reason.notEmpty, startsOn: told.startsOn, endsOn: told.endsOn,
            isActive: told.isActive, remindersEnabled: false)
    }
}

extension String? {
    fileprivate var notEmpty: String? { flatMap { $0.isEmpty ? nil : $0 } }
}

extension MedicationSchedule.Plan {
    /// What is said of the times as far as it makes a plan; without one nothing is due.
    fileprivate init(_ timing: FHIR.MedicationStatement.Timing) {
        switch timing {
        case .asNeeded: self = .asNeeded
        case .everyHours(let hours): self = .everyHours(hours, first: MedicationSchedule.TimeOfDay(minutes: 0))
        case .timesOfDay(let texts, let days, let weekdays):
            let times = Set(texts.compactMap(MedicationSchedule.TimeOfDay.init(text:)))
            let pattern: MedicationSchedule.DayPattern =
                if (1...6).contains(weekdays.count) { .weekdays(Set(weekdays)) } else if days > 1 { .interval(days) } else { .everyDay }
            self = times.isEmpty ? .asNeeded : .timesOfDay(times.sorted(), pattern)
        }
    }
}

extension NewDevice {
    init(_ told: FHIR.Device) throws(ImportOutcome) {
        guard let kind = DeviceKind(rawValue: told.kind) else { throw .notKept }
        self.init(
            kind: kind, platform: try made(or: .malformed) { () throws(InvalidValue) in try DeviceText.platform("fhir") },
            name: try made(or: .tooLarge) { () throws(InvalidValue) in try DeviceText.name(told.name) },
            serialNumber: try made(or: .tooLarge) { () throws(InvalidValue) in try DeviceText.serialNumber(told.serialNumber) })
    }
}

/// A value of ours, or why a resource without it is not kept; what is wrong with it in particular is told to nobody.
private func made<Value>(or outcome: ImportOutcome, _ make: () throws(InvalidValue) -> Value) throws(ImportOutcome) -> Value {
    do throws(InvalidValue) { return try make() } catch { throw outcome }
}
