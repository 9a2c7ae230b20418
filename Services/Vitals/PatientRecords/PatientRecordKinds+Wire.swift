internal import Application
internal import Contracts

extension PatientRecord.RecordType {
    init(_ given: VitalsV1.PatientRecordKind) throws(InvalidValue) {
        switch given {
        case .condition: self = .condition
        case .allergy: self = .allergy
        case .procedure: self = .procedure
        case .immunization: self = .immunization
        case .labReport: self = .labReport
        case .imaging: self = .imaging
        case .familyHistory: self = .familyHistory
        case .document: self = .document
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.PatientRecordKind {
    init(_ value: PatientRecord.RecordType) {
        self = switch value {
        case .condition: .condition
        case .allergy: .allergy
        case .procedure: .procedure
        case .immunization: .immunization
        case .labReport: .labReport
        case .imaging: .imaging
        case .familyHistory: .familyHistory
        case .document: .document
        case .other: .other
        }
    }
}

extension PatientRecord.CodeSystem {
    init(_ given: VitalsV1.CodeSystem) throws(InvalidValue) {
        switch given {
        case .snomed: self = .snomed
        case .icd10: self = .icd10
        case .loinc: self = .loinc
        case .rxnorm: self = .rxnorm
        case .cvx: self = .cvx
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.CodeSystem {
    init(_ value: PatientRecord.CodeSystem) {
        self = switch value {
        case .snomed: .snomed
        case .icd10: .icd10
        case .loinc: .loinc
        case .rxnorm: .rxnorm
        case .cvx: .cvx
        case .other: .other
        }
    }
}

extension PatientRecord.ClinicalStatus {
    init(_ given: VitalsV1.ClinicalStatus) throws(InvalidValue) {
        switch given {
        case .active: self = .active
        case .inactive: self = .inactive
        case .resolved: self = .resolved
        case .enteredInError: self = .enteredInError
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.ClinicalStatus {
    init(_ value: PatientRecord.ClinicalStatus) {
        self = switch value {
        case .active: .active
        case .inactive: .inactive
        case .resolved: .resolved
        case .enteredInError: .enteredInError
        }
    }
}

extension PatientRecord.Severity {
    init(_ given: VitalsV1.RecordSeverity) throws(InvalidValue) {
        switch given {
        case .mild: self = .mild
        case .moderate: self = .moderate
        case .severe: self = .severe
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.RecordSeverity {
    init(_ value: PatientRecord.Severity) {
        self = switch value {
        case .mild: .mild
        case .moderate: .moderate
        case .severe: .severe
        }
    }
}

extension PatientRecord.Source {
    init(_ given: VitalsV1.RecordSource) throws(InvalidValue) {
        switch given {
        case .patient: self = .patient
        case .provider: self = .provider
        case .`import`: self = .import_
        case .device: self = .device
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.RecordSource {
    init(_ value: PatientRecord.Source) {
        self = switch value {
        case .patient: .patient
        case .provider: .provider
        case .import_: .`import`
        case .device: .device
        }
    }
}
