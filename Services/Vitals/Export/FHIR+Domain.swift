internal import FHIR
internal import FoundationEssentials
internal import Postgres

extension FHIR.Device {
    init(_ device: Device, of user: UUID) {
        self.init(
            id: device.id.uuid, patient: user, isActive: device.isActive, kind: device.kind.rawValue, name: device.name,
            serialNumber: device.serialNumber)
    }
}

extension FHIR.Observation {
    init(_ observation: Observation, of user: UUID) {
        let value: Value =
            switch observation.measurement {
            case .quantity(let quantity): .quantity(Quantity(quantity))
            case .components(let components):
                .components(components.map { Component(loinc: $0.code.text, quantity: Quantity($0.quantity)) })
            }
        self.init(
            id: observation.id.uuid, subject: user, version: observation.version, status: Status(observation.status), loinc: observation.code.text,
            value: value, effective: DateTime(observation.effectiveAt, utcOffsetMinutes: Int(observation.utcOffset.minutes)),
            issued: observation.recordedAt, device: observation.device?.uuid, source: observation.source.text, sequence: observation.sequence.value,
            note: observation.reason)
    }
}

extension FHIR.Observation.Quantity {
    fileprivate init(_ quantity: Quantity) { self.init(value: quantity.value.text, unit: quantity.unit.text) }
}

extension FHIR.Observation.Status {
    fileprivate init(_ status: ObservationStatus) {
        self = switch status {
        case .final: .final
        case .amended: .amended
        case .corrected: .corrected
        case .enteredInError: .enteredInError
        }
    }
}

extension FHIR.MedicationStatement {
    /// Throws for a schedule that the table should not hold.
    init(_ medication: Medication, of user: UUID) throws(PostgresError) {
        self.init(
            id: medication.id, subject: user, version: medication.version, isActive: medication.isActive, name: medication.name,
            rxNorm: medication.rxnormCode, startsOn: medication.startsOn, endsOn: medication.endsOn, dosage: medication.dosage,
            instructions: medication.instructions, route: medication.route, reason: medication.reason,
            timing: Timing(try MedicationSchedule(stored: medication.schedule)))
    }
}

extension FHIR.MedicationStatement.Timing {
    fileprivate init(_ schedule: MedicationSchedule) {
        switch schedule.plan {
        case .asNeeded: self = .asNeeded
        case .everyHours(let hours, _): self = .everyHours(hours)
        case .timesOfDay(let times, let pattern):
            let times = times.map(\.text)
            self = switch pattern {
            case .everyDay: .timesOfDay(times, everyDays: 1, weekdays: [])
            case .interval(let days): .timesOfDay(times, everyDays: days, weekdays: [])
            case .weekdays(let days): .timesOfDay(times, everyDays: 1, weekdays: days.sorted())
            }
        }
    }
}
