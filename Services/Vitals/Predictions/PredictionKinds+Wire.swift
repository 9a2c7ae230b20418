internal import Application
internal import Contracts

extension Prediction.PredictionType {
    init(_ given: VitalsV1.PredictionKind) throws(InvalidValue) {
        switch given {
        case .heartRisk: self = .heartRisk
        case .arrhythmia: self = .arrhythmia
        case .hypertension: self = .hypertension
        case .diabetes: self = .diabetes
        case .readmission: self = .readmission
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.PredictionKind {
    init(_ value: Prediction.PredictionType) {
        self = switch value {
        case .heartRisk: .heartRisk
        case .arrhythmia: .arrhythmia
        case .hypertension: .hypertension
        case .diabetes: .diabetes
        case .readmission: .readmission
        case .other: .other
        }
    }
}

extension Prediction.RiskLevel {
    init(_ given: VitalsV1.RiskLevel) throws(InvalidValue) {
        switch given {
        case .low: self = .low
        case .moderate: self = .moderate
        case .high: self = .high
        case .veryHigh: self = .veryHigh
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.RiskLevel {
    init(_ value: Prediction.RiskLevel) {
        self = switch value {
        case .low: .low
        case .moderate: .moderate
        case .high: .high
        case .veryHigh: .veryHigh
        }
    }
}
