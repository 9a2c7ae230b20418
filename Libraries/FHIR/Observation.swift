package import FoundationEssentials
package import Time

/// A measurement that was made of a person (FHIR R4, Observation).
package struct Observation: Resource {
    package static let type = "Observation"

    package enum Status: String, Hashable, Sendable {
        case final, amended, corrected
        case enteredInError = "entered-in-error"
    }

    /// A value with the digits that it was measured with, and a UCUM unit.
    package struct Quantity: Hashable, Sendable {
        package let value: String
        package let unit: String

        package init(value: String, unit: String) {
            self.value = value
            self.unit = unit
        }

        var element: Element {
            .object(["value": .number(value), "unit": .string(unit), "system": .string(System.ucum), "code": .string(unit)])
        }
    }

    package struct Component: Hashable, Sendable {
        package let loinc: String
        package let quantity: Quantity

        package init(loinc: String, quantity: Quantity) {
            self.loinc = loinc
            self.quantity = quantity
        }
    }

    package enum Value: Hashable, Sendable {
        case quantity(Quantity)
        case components([Component])
    }

    package let id: UUID
    package let subject: UUID
    package let version: Int64
    package let status: Status
    package let loinc: String
    package let value: Value
    package let effective: DateTime
    package let issued: Instant
    package let device: UUID?
    /// What made it, and the number that it gave it.
    package let source: String
    package let sequence: Int64
    package let note: String

    package init(
        id: UUID, subject: UUID, version: Int64, status: Status, loinc: String, value: Value, effective: DateTime, issued: Instant, device: UUID?,
        source: String, sequence: Int64, note: String
    ) {
        self.id = id
        self.subject = subject
        self.version = version
        self.status = status
        self.loinc = loinc
        self.value = value
        self.effective = effective
        self.issued = issued
        self.device = device
        self.source = source
        self.sequence = sequence
        self.note = note
    }

    package var members: KeyValuePairs<String, Element?> {
        var quantity: Element?
        var components: Element?
        switch value {
        case .quantity(let measured): quantity = measured.element
        case .components(let parts):
            components = .list(
                parts.map { .object(["code": .concept(system: System.loinc, code: $0.loinc), "valueQuantity": $0.quantity.element]) })
        }
        return [
            "meta": .object(["versionId": .string("\(version)")]),
            "identifier": .list([.object(["system": .string(System.source(source)), "value": .string("\(sequence)")])]),
            "status": .string(status.rawValue),
            "category": Self.vitalSigns.contains(loinc)
                ? .list([.concept(system: System.observationCategory, code: "vital-signs", display: "Vital Signs")]) : nil,
            "code": .concept(system: System.loinc, code: loinc),
            "subject": .reference(subject),
            "effectiveDateTime": effective.element,
            "issued": .string(issued.rfc3339),
            "valueQuantity": quantity,
            "note": note.isEmpty ? nil : .list([.object(["text": .string(note)])]),
            "device": .reference(device),
            "component": components,
        ]
    }

    /// The codes of FHIR R4's profile "Vital Signs" that are a measurement.
    private static let vitalSigns: Set<String> = [
        "85354-9", "8480-6", "8462-4", "8478-0", "8867-4", "40443-4", "8889-8", "9279-1", "2708-6", "59408-5", "8310-5", "8331-1", "29463-7",
        "3141-9", "8302-2", "39156-5",
    ]
}
