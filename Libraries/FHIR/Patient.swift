package import FoundationEssentials
package import Time

/// The person whose records they are (FHIR R4, Patient).
package struct Patient: Resource {
    package static let type = "Patient"

    package enum Gender: String, Hashable, Sendable {
        case female, male, other, unknown
    }

    /// Somebody who is told in an emergency.
    package struct Contact: Hashable, Sendable {
        package let name: String
        package let relationship: String
        package let phone: String
        package let email: String?

        package init(name: String, relationship: String, phone: String, email: String?) {
            self.name = name
            self.relationship = relationship
            self.phone = phone
            self.email = email
        }
    }

    package let id: UUID
    package let name: String
    package let email: String
    package let phone: String?
    package let gender: Gender?
    package let birthDate: CivilDate?
    package let contacts: [Contact]

    package init(id: UUID, name: String, email: String, phone: String?, gender: Gender?, birthDate: CivilDate?, contacts: [Contact]) {
        self.id = id
        self.name = name
        self.email = email
        self.phone = phone
        self.gender = gender
        self.birthDate = birthDate
        self.contacts = contacts
    }

    package var members: KeyValuePairs<String, Element?> {
        [
            "active": .boolean(true),
            "name": .list([.object(["text": .string(name)])]),
            "telecom": .telecom(phone: phone, email: email),
            "gender": .text(gender?.rawValue),
            "birthDate": .text(birthDate.map { "\($0)" }),
            "contact": .list(
                contacts.map { contact in
                    .object([
                        "relationship": .list([.concept(text: contact.relationship)]),
                        "name": .object(["text": .string(contact.name)]),
                        "telecom": .telecom(phone: contact.phone, email: contact.email),
                    ])
                }),
        ]
    }
}

extension Element {
    /// ContactPoints.
    static func telecom(phone: String?, email: String?) -> Element {
        .list(
            [("phone", phone), ("email", email)].compactMap { system, value in
                value.map { .object(["system": .string(system), "value": .string($0)]) }
            })
    }
}
