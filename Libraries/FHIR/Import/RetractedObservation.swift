package import FoundationEssentials
package import JSON
package import Time

/// An Observation that was entered in error, says who told it: what it is known by, and what is still said of it.
package struct RetractedObservation: Sendable {
    package let id: UUID
    /// What made it, and the number that it gave it, as of one that stands.
    package let source: String
    package let sequence: Int64
    package let device: UUID?
    /// Why it was retracted, if a service like this one says so.
    package let note: String
    private let loinc: String?
    private let effective: Instant?

    /// `nil` for one that was not entered in error. It need not have a value any more.
    package init?(reading resource: JSONValue, as id: UUID, from source: String) {
        guard resource["status"]?.text == Observation.Status.enteredInError.rawValue else { return nil }
        let own = Observation.number(in: resource)
        self.id = id
        self.source = own?.source ?? source
        sequence = own?.sequence ?? id.number
        device = resource["device"]?.referencedID
        note = own == nil ? "" : resource["note"]?.items.first?["text"]?.text ?? ""
        loinc = resource["code"]?.code(of: System.loinc)
        effective = resource.effective?.instant
    }

    /// Whether nothing that is said of it is against its being a reading of a code at a time.
    package func mayBe(of code: String, at time: Instant) -> Bool {
        let isOfCode = loinc == nil || loinc == code || loinc == Observation.anyBloodPressure && code == Observation.bloodPressure
        return isOfCode && (effective == nil || effective == time)
    }
}
