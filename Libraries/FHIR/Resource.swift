package import FoundationEssentials
internal import Time

/// What FHIR R4 calls a resource, as far as we know it.
package protocol Resource: Hashable, Sendable {
    static var type: String { get }
    var id: UUID { get }
    /// What it says besides its type and id.
    var members: KeyValuePairs<String, Element?> { get }
}

extension Resource {
    /// As an entry of a Bundle, on one line. Its `fullUrl` is what other entries refer to it by (FHIR R4, "Resolving references in Bundles").
    package var entry: [UInt8] {
        guard case .object(let rest) = Element.object(members) else { preconditionFailure("members make an object") }
        let head: [Element.Member] = [
            .init(name: "resourceType", value: .string(Self.type)), .init(name: "id", value: .string(id.text)),
        ]
        return Element.object(["fullUrl": .string(id.urn), "resource": .object(head + rest)]).json
    }
}

extension UUID {
    package var urn: String { "urn:uuid:\(text)" }
}

extension Element {
    /// To another entry of the Bundle.
    static func reference(_ id: UUID?) -> Element? { id.map { .object(["reference": .string($0.urn)]) } }

    static func text(_ text: String?) -> Element? { text.map(Element.string) }

    /// A CodeableConcept.
    static func concept(system: String? = nil, code: String? = nil, display: String? = nil, text: String? = nil) -> Element {
        .object([
            "coding": code.map { .list([.object(["system": .text(system), "code": .string($0), "display": .text(display)])]) },
            "text": .text(text),
        ])
    }
}

/// The systems that codes and units are from.
enum System {
    static let loinc = "http://loinc.org"
    static let ucum = "http://unitsofmeasure.org"
    static let rxNorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    static let observationCategory = "http://terminology.hl7.org/CodeSystem/observation-category"
    static let visitReason = "http://terminology.hl7.org/CodeSystem/v2-0276"
    static let subscriberRelationship = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
    static let coverageClass = "http://terminology.hl7.org/CodeSystem/coverage-class"
    static let coverageCost = "http://terminology.hl7.org/CodeSystem/coverage-copay-type"
    /// Ours: which source numbered a reading.
    static func source(_ name: String) -> String { "urn:x-heartguard:source:\(name)" }
    /// Ours: what signals without a code are called, and what a device has numbered the first and the last of some samples with.
    static let channel = "urn:x-heartguard:channel"
    static let firstSample = "urn:x-heartguard:first-sample"
    static let lastSample = "urn:x-heartguard:last-sample"
}
