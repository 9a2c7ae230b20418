package import FoundationEssentials

/// Somebody who treats people (FHIR R4, Practitioner).
package struct Practitioner: Resource {
    package static let type = "Practitioner"

    package let id: UUID
    package let name: String
    package let title: String?
    package let qualifications: [String]

    package init(id: UUID, name: String, title: String?, qualifications: [String]) {
        self.id = id
        self.name = name
        self.title = title
        self.qualifications = qualifications
    }

    package var members: KeyValuePairs<String, Element?> {
        [
            "name": .list([.object(["text": .string(name), "prefix": .one(.text(title))])]),
            "qualification": .list(qualifications.map { .object(["code": .concept(text: $0)]) }),
        ]
    }
}
