internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

// Each initialiser reads a whole request and throws INVALID_ARGUMENT with a violation for every field that is wrong.

extension EmergencyContact {
    init(_ request: UsersV1.CreateEmergencyContactRequest) throws(RPCError) {
        var violations = FieldViolations()
        let id = violations.value("id", request.id, UUID.init(parsing:))
        let name = violations.value("name", request.name, PersonName.init(_:))
        let relationship = violations.value("relationship", request.relationship, Relationship.init(_:))
        let phone = violations.value("phone", request.phone, PhoneNumber.init(_:))
        let email = violations.optional("email", request.email, EmailAddress.init(_:))
        let notes = violations.optional("notes", request.notes, Self.notes)
        let parsed = try violations.complete(id, name, relationship, phone)
        self.init(
            id: parsed.0, name: parsed.1.text, relationship: parsed.2, phone: parsed.3.text, email: email?.text,
            isPrimary: request.primary, notify: request.notify ?? true, notes: notes)
    }

    fileprivate static func notes(_ given: String) throws(InvalidValue) -> String { try PlainText(given, characters: 1...2_000).text }
}

extension UsersV1.UpdateEmergencyContactRequest {
    /// Which contact, and what becomes of it.
    func parsed() throws(RPCError) -> (UUID, @Sendable (EmergencyContact) -> EmergencyContact) {
        var violations = FieldViolations()
        let id = violations.value("contact_id", contactId, UUID.init(parsing:))
        var mask = UpdateMask(updateMask)
        let name = violations.optional("name", mask.value("name", name, empty: ""), PersonName.init(_:))
        let relationship = violations.optional(
            "relationship", mask.value("relationship", relationship, empty: .unspecified), EmergencyContact.Relationship.init(_:))
        let phone = violations.optional("phone", mask.value("phone", phone, empty: ""), PhoneNumber.init(_:))
        let email = violations.removable("email", mask.value("email", email, empty: ""), EmailAddress.init(_:))
        let notes = violations.removable("notes", mask.value("notes", notes, empty: ""), EmergencyContact.notes)
        let primary = mask.value("primary", primary, empty: false)
        let notify = mask.value("notify", notify, empty: true)
        mask.check(noting: &violations)
        violations.check(version: expectedVersion)
        return (
            try violations.complete(id),
            { contact in
                var contact = contact
                if let name { contact.name = name.text }
                if let relationship { contact.relationship = relationship }
                if let phone { contact.phone = phone.text }
                if let email { contact.email = email?.text }
                if let notes { contact.notes = notes }
                if let primary { contact.isPrimary = primary }
                if let notify { contact.notify = notify }
                return contact
            }
        )
    }
}

extension FieldViolations {
    mutating func check(version: Int64?, least: Int64 = 1) {
        check(version.map { $0 >= least } ?? true, "expected_version", "A version is \(least == 0 ? "not negative" : "one or more").")
    }
}

extension UUID {
    /// A field that names something.
    static func named(_ field: String, _ text: String) throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value(field, text, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

extension UsersV1.EmergencyContact {
    init(_ contact: EmergencyContact) {
        self.init(
            id: contact.id.text, name: contact.name, relationship: .init(contact.relationship), phone: contact.phone, email: contact.email,
            primary: contact.isPrimary, notify: contact.notify, notes: contact.notes, version: contact.version)
    }
}

extension EmergencyContact.Relationship {
    init(_ relationship: UsersV1.ContactRelationship) throws(InvalidValue) {
        switch relationship {
        case .spouse: self = .spouse
        case .partner: self = .partner
        case .parent: self = .parent
        case .child: self = .child
        case .sibling: self = .sibling
        case .relative: self = .relative
        case .friend: self = .friend
        case .guardian: self = .guardian
        case .caregiver: self = .caregiver
        case .physician: self = .physician
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.ContactRelationship {
    init(_ relationship: EmergencyContact.Relationship) {
        self = switch relationship {
        case .spouse: .spouse
        case .partner: .partner
        case .parent: .parent
        case .child: .child
        case .sibling: .sibling
        case .relative: .relative
        case .friend: .friend
        case .guardian: .guardian
        case .caregiver: .caregiver
        case .physician: .physician
        case .other: .other
        }
    }
}
