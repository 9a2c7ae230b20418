internal import Application
internal import Contracts

extension Sex {
    init(_ sex: UsersV1.Sex) throws(InvalidValue) {
        switch sex {
        case .unspecified: self = .unspecified
        case .female: self = .female
        case .male: self = .male
        case .other: self = .other
        case .unknown: self = .unknown
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.Sex {
    init(_ sex: Sex) {
        self = switch sex {
        case .unspecified: .unspecified
        case .female: .female
        case .male: .male
        case .other: .other
        case .unknown: .unknown
        }
    }
}

extension ConsentKind {
    init(_ kind: UsersV1.ConsentKind) throws(InvalidValue) {
        switch kind {
        case .healthData: self = .healthData
        case .aiAnalysis: self = .aiAnalysis
        case .research: self = .research
        case .careSharing: self = .careSharing
        case .marketing: self = .marketing
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.ConsentKind {
    init(_ kind: ConsentKind) {
        self = switch kind {
        case .healthData: .healthData
        case .aiAnalysis: .aiAnalysis
        case .research: .research
        case .careSharing: .careSharing
        case .marketing: .marketing
        }
    }
}
