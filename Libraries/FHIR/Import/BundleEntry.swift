package import JSON
package import Time

/// An entry of a file of FHIR: a resource, and what others refer to it by.
package struct BundleEntry: Sendable {
    /// Without a version.
    package let fullURL: String?
    /// `null` where there is none, as for one that was deleted.
    package let resource: JSONValue
    /// Its type; "Unknown" for what says none that could be one.
    package let type: String
    package let id: String?
    /// Whether its request says so.
    package let isDeleted: Bool
    /// When it became what it says.
    package let lastUpdated: Instant?

    /// Throws, with the byte of the file, for what is no JSON.
    package init(_ piece: EntryReader.Piece) throws(JSONSyntaxError) {
        let value = try EntryReader.parsed(piece.content, at: piece.firstByte)
        let isOfBundle = piece.form == .bundle
        let request = isOfBundle ? value["request"] : nil
        fullURL = isOfBundle ? value["fullUrl"]?.text.map(Self.withoutVersion) : nil
        resource = value.resource
        isDeleted = request?["method"]?.text == "DELETE"
        let response = isOfBundle ? value["response"] : nil
        lastUpdated = DateTime(reading: (resource["meta"]?["lastUpdated"] ?? response?["lastModified"])?.text)?.instant
        // Without a resource the request says which it was.
        let requested = resource["resourceType"] == nil ? Self.requested(by: request?["url"]?.text ?? "") : nil
        let type = resource["resourceType"]?.text ?? requested?.type ?? ""
        let isName = (1...64).contains(type.utf8.count) && type.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        self.type = isName ? type : "Unknown"
        id = resource["id"]?.text ?? requested?.id
    }

    /// `http://a/Observation/1` of `http://a/Observation/1/_history/2`, which some systems say.
    private static func withoutVersion(_ url: String) -> String {
        let parts = url.split(separator: "/", omittingEmptySubsequences: false)
        guard let version = parts.firstIndex(of: "_history") else { return url }
        return parts[..<version].joined(separator: "/")
    }

    private static func requested(by url: String) -> (type: String, id: String)? {
        let parts = url.split(separator: "/").prefix { $0 != "_history" }
        guard parts.count >= 2 else { return nil }
        return (String(parts[parts.endIndex - 2]), String(parts[parts.endIndex - 1]))
    }

    /// What a reference to it may be (FHIR R4, "Resolving references in Bundles").
    package var references: [String] { [fullURL, id.map { "\(type)/\($0)" }].compactMap(\.self) }

    /// What the resource says whom it is about; `nil` if it says nothing. A subject without a reference that could be followed is "".
    package var subject: String? {
        if type == "Appointment" {
            let actors = (resource["participant"]?.items ?? []).compactMap { $0["actor"]?["reference"]?.text }
            return actors.first { $0.hasPrefix("Patient/") || $0.contains("/Patient/") }
        }
        guard let subject = resource["subject"] ?? resource["patient"] else { return nil }
        return subject["reference"]?.text ?? ""
    }

    /// Which Medication it refers to, if that is outside of it.
    package var medication: String? {
        guard type == "MedicationRequest" || type == "MedicationStatement" else { return nil }
        return resource["medicationReference"]?["reference"]?.text.flatMap { $0.hasPrefix("#") ? nil : $0 }
    }
}
