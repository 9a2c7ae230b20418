internal import Application
internal import Contracts

extension HealthGoal.GoalType {
    init(_ given: VitalsV1.GoalKind) throws(InvalidValue) {
        switch given {
        case .weight: self = .weight
        case .bloodPressure: self = .bloodPressure
        case .heartRate: self = .heartRate
        case .glucose: self = .glucose
        case .cholesterol: self = .cholesterol
        case .steps: self = .steps
        case .exercise: self = .exercise
        case .sleep: self = .sleep
        case .medication: self = .medication
        case .smoking: self = .smoking
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.GoalKind {
    init(_ value: HealthGoal.GoalType) {
        self = switch value {
        case .weight: .weight
        case .bloodPressure: .bloodPressure
        case .heartRate: .heartRate
        case .glucose: .glucose
        case .cholesterol: .cholesterol
        case .steps: .steps
        case .exercise: .exercise
        case .sleep: .sleep
        case .medication: .medication
        case .smoking: .smoking
        case .other: .other
        }
    }
}

extension HealthGoal.Direction {
    init(_ given: VitalsV1.GoalDirection) throws(InvalidValue) {
        switch given {
        case .increase: self = .increase
        case .decrease: self = .decrease
        case .maintain: self = .maintain
        case .unspecified: throw InvalidValue("is needed")
        case .unrecognized: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension VitalsV1.GoalDirection {
    init(_ value: HealthGoal.Direction) {
        self = switch value {
        case .increase: .increase
        case .decrease: .decrease
        case .maintain: .maintain
        }
    }
}

extension VitalsV1.GoalState {
    init(_ value: GoalState) {
        self = switch value {
        case .upcoming: .upcoming
        case .active: .active
        case .overdue: .overdue
        case .completed: .completed
        case .abandoned: .abandoned
        }
    }
}
