package import FoundationEssentials

/// What a person measures themselves with (FHIR R4, Device).
package struct Device: Resource {
    package static let type = "Device"

    package let id: UUID
    package let patient: UUID
    package let isActive: Bool
    package let kind: String
    package let name: String
    package let serialNumber: String

    package init(id: UUID, patient: UUID, isActive: Bool, kind: String, name: String, serialNumber: String) {
        self.id = id
        self.patient = patient
        self.isActive = isActive
        self.kind = kind
        self.name = name
        self.serialNumber = serialNumber
    }

    package var members: KeyValuePairs<String, Element?> {
        [
            "status": .string(isActive ? "active" : "inactive"),
            "serialNumber": .string(serialNumber),
            "deviceName": .list([.object(["name": .string(name), "type": .string("user-friendly-name")])]),
            "type": .concept(text: kind),
            "patient": .reference(patient),
        ]
    }
}
