package import FoundationEssentials
package import Time

/// A policy that pays for a person (FHIR R4, Coverage). The insurer and the holder are named and are no entries of their own.
package struct Coverage: Resource {
    package static let type = "Coverage"

    package enum Status: String, Hashable, Sendable {
        case active, cancelled
    }

    /// What the person is to the policy's holder (the codes of subscriber-relationship).
    package enum Relationship: String, Hashable, Sendable {
        case oneself = "self", spouse, child, parent, other
    }

    package let id: UUID
    package let beneficiary: UUID
    package let version: Int64
    package let status: Status
    package let kind: String?
    package let payor: String
    package let holder: String
    package let relationship: Relationship
    package let subscriberID: String
    package let group: String?
    package let plan: String?
    package let start: CivilDate
    package let end: CivilDate?
    /// Whether it is asked before the others.
    package let isFirst: Bool
    /// Decimal digits, in `currency` (ISO 4217).
    package let copay: String?
    package let deductible: String?
    package let currency: String

    package init(
        id: UUID, beneficiary: UUID, version: Int64, status: Status, kind: String?, payor: String, holder: String, relationship: Relationship,
        subscriberID: String, group: String?, plan: String?, start: CivilDate, end: CivilDate?, isFirst: Bool, copay: String?, deductible: String?,
        currency: String
    ) {
        self.id = id
        self.beneficiary = beneficiary
        self.version = version
        self.status = status
        self.kind = kind
        self.payor = payor
        self.holder = holder
        self.relationship = relationship
        self.subscriberID = subscriberID
        self.group = group
        self.plan = plan
        self.start = start
        self.end = end
        self.isFirst = isFirst
        self.copay = copay
        self.deductible = deductible
        self.currency = currency
    }

    package var members: KeyValuePairs<String, Element?> {
        [
            "meta": .object(["versionId": .string("\(version)")]),
            "status": .string(status.rawValue),
            "type": kind.map { .concept(text: $0) },
            "policyHolder": .object(["display": .string(holder)]),
            "subscriberId": .string(subscriberID),
            "beneficiary": .reference(beneficiary),
            "relationship": .concept(system: System.subscriberRelationship, code: relationship.rawValue),
            "period": .object(["start": .string("\(start)"), "end": .text(end.map { "\($0)" })]),
            "payor": .list([.object(["display": .string(payor)])]),
            "class": .list(
                [("group", group), ("plan", plan)].compactMap { type, value in
                    value.map { .object(["type": .concept(system: System.coverageClass, code: type), "value": .string($0)]) }
                }),
            "order": isFirst ? .number(1) : nil,
            "costToBeneficiary": .list(
                [("copay", copay), ("deductible", deductible)].compactMap { type, amount in
                    amount.map {
                        .object([
                            "type": .concept(system: System.coverageCost, code: type),
                            "valueMoney": .object(["value": .number($0), "currency": .string(currency)]),
                        ])
                    }
                }),
        ]
    }
}
