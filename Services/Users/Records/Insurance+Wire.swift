internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension InsuranceInfo {
    init(_ request: UsersV1.CreateInsuranceRequest) throws(RPCError) {
        var violations = FieldViolations()
        let id = violations.value("id", request.id, UUID.init(parsing:))
        let insurer = violations.value("insurer", request.insurer, Self.name)
        let plan = violations.optional("plan_name", request.planName, Self.name)
        let type = request.planType == .unspecified ? nil : violations.value("plan_type", request.planType, PlanType.init(_:))
        let number = violations.value("policy_number", request.policyNumber, Self.number)
        let group = violations.optional("group_number", request.groupNumber, Self.number)
        let holder = violations.value("holder_name", request.holderName, PersonName.init(_:))
        let from = violations.value("valid_from", request.validFrom, Self.day)
        let until = violations.optional("valid_until", request.validUntil, Self.day)
        let named = try violations.complete(id, insurer, number)
        let rest = try violations.complete(holder, from)
        self.init(
            id: named.0, insurer: named.1, planName: plan, planType: type, policyNumber: named.2, groupNumber: group,
            holderName: rest.0.text, validFrom: rest.1, validUntil: until, isPrimary: request.primary)
        try checkValidity()
    }

    fileprivate static func name(_ given: String) throws(InvalidValue) -> String {
        try PlainText(given, characters: 1...200, lines: false).text
    }

    fileprivate static func number(_ given: String) throws(InvalidValue) -> String {
        try PlainText(given, characters: 1...64, lines: false).text
    }

    fileprivate static func day(_ given: String) throws(InvalidValue) -> CivilDate {
        guard let day = CivilDate(given), day.year >= 1_900 else { throw InvalidValue("is not a date such as 2026-02-28") }
        return day
    }

    fileprivate func checkValidity() throws(RPCError) {
        guard let validUntil, validUntil < validFrom else { return }
        throw .invalid([("valid_until", "The field is before the first day.")])
    }
}

extension UsersV1.UpdateInsuranceRequest {
    /// Which policy, and what becomes of it. What is told of it anew has been verified by nobody.
    func parsed() throws(RPCError) -> (UUID, @Sendable (InsuranceInfo) throws -> InsuranceInfo) {
        var violations = FieldViolations()
        let id = violations.value("insurance_id", insuranceId, UUID.init(parsing:))
        let insurer = violations.optional("insurer", insurer, InsuranceInfo.name)
        let plan = violations.removable("plan_name", planName, InsuranceInfo.name)
        let type = violations.optional("plan_type", planType, InsuranceInfo.PlanType.init(_:))
        let number = violations.optional("policy_number", policyNumber, InsuranceInfo.number)
        let group = violations.removable("group_number", groupNumber, InsuranceInfo.number)
        let holder = violations.optional("holder_name", holderName, PersonName.init(_:))
        let from = violations.optional("valid_from", validFrom, InsuranceInfo.day)
        let until = violations.removable("valid_until", validUntil, InsuranceInfo.day)
        violations.check(version: expectedVersion)
        let primary = primary
        return (
            try violations.complete(id),
            { known in
                var insurance = known
                if let insurer { insurance.insurer = insurer }
                if let plan { insurance.planName = plan }
                if let type { insurance.planType = type }
                if let number { insurance.policyNumber = number }
                if let group { insurance.groupNumber = group }
                if let holder { insurance.holderName = holder.text }
                if let from { insurance.validFrom = from }
                if let until { insurance.validUntil = until }
                if insurance != known { (insurance.status, insurance.verifiedAt) = (.unverified, nil) }
                if let primary { insurance.isPrimary = primary }
                try insurance.checkValidity()
                return insurance
            }
        )
    }
}

extension UsersV1.Insurance {
    init(_ insurance: InsuranceInfo) {
        self.init(
            id: insurance.id.text, insurer: insurance.insurer, planName: insurance.planName,
            planType: insurance.planType.map { .init($0) } ?? .unspecified, policyNumber: insurance.policyNumber,
            groupNumber: insurance.groupNumber, holderName: insurance.holderName, validFrom: insurance.validFrom.description,
            validUntil: insurance.validUntil?.description, primary: insurance.isPrimary, status: .init(insurance.status),
            version: insurance.version)
    }
}

extension InsuranceInfo.PlanType {
    init(_ type: UsersV1.InsurancePlanType) throws(InvalidValue) {
        switch type {
        case .hmo: self = .hmo
        case .ppo: self = .ppo
        case .epo: self = .epo
        case .pos: self = .pos
        case .statutory: self = .statutory
        case .private: self = .private_
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.InsurancePlanType {
    init(_ type: InsuranceInfo.PlanType) {
        self = switch type {
        case .hmo: .hmo
        case .ppo: .ppo
        case .epo: .epo
        case .pos: .pos
        case .statutory: .statutory
        case .private_: .private
        case .other: .other
        }
    }
}

extension UsersV1.InsuranceStatus {
    init(_ status: InsuranceInfo.Status) {
        self = switch status {
        case .unverified: .unverified
        case .verified: .verified
        case .rejected: .rejected
        case .expired: .expired
        }
    }
}
