package import FoundationEssentials
package import JSON
internal import Time

extension Observation {
    /// Reads an Observation as it is kept here: one quantity, or several, at one time.
    ///
    /// - Parameters:
    ///   - id: what it is kept under.
    ///   - source: where it comes from. One that was told by a service like this one has the source and the number that it had there; else the
    ///     number is made of the id.
    /// - Throws: why it cannot be kept.
    package init(reading resource: JSONValue, as id: UUID, of subject: UUID, from source: String) throws(ImportOutcome) {
        let status = try Status(reading: resource["status"])
        guard let code = resource["code"]?.code(of: System.loinc) else { throw .unsupportedCode }
        let value = try Value(reading: resource)
        guard let effective = resource.effective else { throw .unsupportedTime }
        let own = Self.number(in: resource)
        let isChanged = status != .final
        self.init(
            id: id, subject: subject, version: isChanged ? Self.changedVersion(in: resource) : 1, status: status,
            loinc: code == Self.anyBloodPressure && value.isBloodPressure ? Self.bloodPressure : code, value: value, effective: effective,
            issued: DateTime(reading: resource["issued"]?.text)?.instant ?? effective.instant, device: resource["device"]?.referencedID,
            source: own?.source ?? source, sequence: own?.sequence ?? id.number,
            note: isChanged && own != nil ? resource["note"]?.items.first?["text"]?.text ?? "" : "")
    }

    /// "Blood pressure systolic and diastolic", which older systems write for the panel.
    static let anyBloodPressure = "55284-4"
    static let bloodPressure = "85354-9"

    /// The version that one says which was changed; 2 for what is none, and for one so great that nothing could change it here any more.
    private static func changedVersion(in resource: JSONValue) -> Int64 {
        guard let version = Int64(resource["meta"]?["versionId"]?.text ?? ""), (2...1_000_000_000).contains(version) else { return 2 }
        return version
    }

    /// What one of ours was numbered with.
    static func number(in resource: JSONValue) -> (source: String, sequence: Int64)? {
        for identifier in resource["identifier"]?.items ?? [] {
            guard let system = identifier["system"]?.text, system.hasPrefix(System.source("")), let value = identifier["value"]?.text,
                let sequence = Int64(value), sequence >= 0
            else { continue }
            return (String(system.dropFirst(System.source("").count)), sequence)
        }
        return nil
    }
}

extension Observation.Status {
    init(reading status: JSONValue?) throws(ImportOutcome) {
        switch status?.text {
        case "final": self = .final
        case "amended": self = .amended
        case "corrected": self = .corrected
        case "entered-in-error": throw .enteredInError
        case "registered", "preliminary", "cancelled", "unknown": throw .notFinal
        default: throw .malformed
        }
    }
}

extension Observation.Value {
    fileprivate init(reading resource: JSONValue) throws(ImportOutcome) {
        let components = resource["component"]?.items ?? []
        guard components.isEmpty else {
            // There is no place for a value beside its parts.
            guard !resource.hasValue else { throw .unsupportedValue }
            var parts: [Observation.Component] = []
            for component in components {
                guard let code = component["code"]?.code(of: System.loinc) else { throw .unsupportedCode }
                parts.append(Observation.Component(loinc: code, quantity: try Observation.Quantity(of: component)))
            }
            self = .components(parts)
            return
        }
        self = .quantity(try Observation.Quantity(of: resource))
    }

    fileprivate var isBloodPressure: Bool {
        guard case .components(let parts) = self else { return false }
        return parts.map(\.loinc).sorted() == ["8462-4", "8480-6"]
    }
}

extension Observation.Quantity {
    /// The value of an Observation, or of a part of one.
    fileprivate init(of resource: JSONValue) throws(ImportOutcome) {
        guard let quantity = resource["valueQuantity"] else { throw resource.hasValue ? .unsupportedValue : .noValue }
        guard let value = quantity["value"] else { throw .noValue }
        guard let digits = value.digits else { throw .malformed }
        guard quantity["comparator"] == nil else { throw .unsupportedValue }
        guard quantity["system"]?.text == System.ucum, let unit = quantity["code"]?.text else { throw .unsupportedUnit }
        self.init(value: digits, unit: unit)
    }
}

extension JSONValue {
    /// When it was what an Observation says; `nil` without a time of day.
    var effective: DateTime? {
        DateTime(reading: (self["effectiveDateTime"] ?? self["effectiveInstant"] ?? self["effectivePeriod"]?["start"])?.text)
    }

    fileprivate var hasValue: Bool {
        guard case .object(let members) = self else { return false }
        return members.contains { $0.name.hasPrefix("value") }
    }
}

extension UUID {
    /// Its last 63 bits, which are random in every version that is in use.
    var number: Int64 {
        let bytes = uuid
        let last = [bytes.8, bytes.9, bytes.10, bytes.11, bytes.12, bytes.13, bytes.14, bytes.15]
        return Int64(last.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & 0x7FFF_FFFF_FFFF_FFFF)
    }
}
