internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
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
        let relationship = request.holder == .unspecified ? HolderRelationship.oneself : violations.value("holder", request.holder, HolderRelationship.init(_:))
        let phone = violations.optional("phone", request.phone, PhoneNumber.init(_:))
        let copay = violations.optional("copay_amount", request.copayAmount, Self.amount)
        let deductible = violations.optional("deductible_amount", request.deductibleAmount, Self.amount)
        let currency = request.currency.isEmpty ? "USD" : violations.value("currency", request.currency, Self.currency)
        let named = try violations.complete(id, insurer, number)
        let rest = try violations.complete(holder, relationship, currency, from)
        self.init(
            id: named.0, insurer: named.1, planName: plan, planType: type, policyNumber: named.2, groupNumber: group,
            holderName: rest.0.text, holderRelationship: rest.1, phone: phone?.text, copayAmount: copay, deductibleAmount: deductible,
            currency: rest.2, validFrom: rest.3, validUntil: until, isPrimary: request.primary)
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

    /// With two digits behind the point, as the table has it, so that what was sent compares with what is kept.
    fileprivate static func amount(_ given: String) throws(InvalidValue) -> Numeric {
        let parts = given.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (whole, cents) = (parts.first ?? "", parts.count == 2 ? parts[1] : "00")
        guard (1...8).contains(whole.utf8.count), whole == "0" || !whole.hasPrefix("0"), (1...2).contains(cents.utf8.count),
            (whole + cents).utf8.allSatisfy(\.isASCIIDigit), let amount = Numeric("\(whole).\(cents)\(cents.utf8.count == 1 ? "0" : "")")
        else { throw InvalidValue("is not an amount such as 25.00") }
        return amount
    }

    fileprivate static func currency(_ given: String) throws(InvalidValue) -> String {
        guard given.utf8.count == 3, given.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else {
            throw InvalidValue("is not a code of ISO 4217 such as USD")
        }
        return given
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
        var mask = UpdateMask(updateMask)
        let insurer = violations.optional("insurer", mask.value("insurer", insurer, empty: ""), InsuranceInfo.name)
        let plan = violations.removable("plan_name", mask.value("plan_name", planName, empty: ""), InsuranceInfo.name)
        let type = mask.value("plan_type", planType, empty: .unspecified).map { given -> InsuranceInfo.PlanType? in
            given == .unspecified ? nil : violations.value("plan_type", given, InsuranceInfo.PlanType.init(_:))
        }
        let number = violations.optional("policy_number", mask.value("policy_number", policyNumber, empty: ""), InsuranceInfo.number)
        let group = violations.removable("group_number", mask.value("group_number", groupNumber, empty: ""), InsuranceInfo.number)
        let holder = violations.optional("holder_name", mask.value("holder_name", holderName, empty: ""), PersonName.init(_:))
        let from = violations.optional("valid_from", mask.value("valid_from", validFrom, empty: ""), InsuranceInfo.day)
        let until = violations.removable("valid_until", mask.value("valid_until", validUntil, empty: ""), InsuranceInfo.day)
        let relationship = violations.optional(
            "holder", mask.value("holder", self.holder, empty: .oneself), InsuranceInfo.HolderRelationship.init(_:))
        let phone = violations.removable("phone", mask.value("phone", phone, empty: ""), PhoneNumber.init(_:))
        let copay = violations.removable("copay_amount", mask.value("copay_amount", copayAmount, empty: ""), InsuranceInfo.amount)
        let deductible = violations.removable(
            "deductible_amount", mask.value("deductible_amount", deductibleAmount, empty: ""), InsuranceInfo.amount)
        let currency = violations.optional("currency", mask.value("currency", currency, empty: "USD"), InsuranceInfo.currency)
        let primary = mask.value("primary", primary, empty: false)
        mask.check(noting: &violations)
        violations.check(version: expectedVersion)
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
                if let relationship { insurance.holderRelationship = relationship }
                if let phone { insurance.phone = phone?.text }
                if let copay { insurance.copayAmount = copay }
                if let deductible { insurance.deductibleAmount = deductible }
                if let currency { insurance.currency = currency }
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
            version: insurance.version, holder: .init(insurance.holderRelationship), phone: insurance.phone,
            copayAmount: insurance.copayAmount?.text, deductibleAmount: insurance.deductibleAmount?.text, currency: insurance.currency,
            verifiedAt: insurance.verifiedAt.map { .init($0) })
    }
}

extension InsuranceInfo.HolderRelationship {
    init(_ holder: UsersV1.InsuranceHolder) throws(InvalidValue) {
        switch holder {
        case .oneself: self = .oneself
        case .spouse: self = .spouse
        case .parent: self = .parent
        case .child: self = .child
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.InsuranceHolder {
    init(_ holder: InsuranceInfo.HolderRelationship) {
        self = switch holder {
        case .oneself: .oneself
        case .spouse: .spouse
        case .parent: .parent
        case .child: .child
        case .other: .other
        }
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
