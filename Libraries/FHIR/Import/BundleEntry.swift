package import JSON

/// An entry of a file of FHIR: a resource, and what others refer to it by.
package struct BundleEntry: Sendable {
    package let fullURL: String?
    package let resource: JSONValue
    /// Its type; "Unknown" for what says none that could be one.
    package let type: String
    package let id: String?

    /// Throws, with the byte of the file, for what is no JSON.
    package init(_ piece: EntryReader.Piece) throws(JSONSyntaxError) {
        let value = try EntryReader.parsed(piece.content, at: piece.firstByte)
        fullURL = piece.form == .bundle ? value["fullUrl"]?.text : nil
        resource = value.resource
        let type = resource["resourceType"]?.text ?? ""
        let isName = (1...64).contains(type.utf8.count) && type.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        self.type = isName ? type : "Unknown"
        id = resource["id"]?.text
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
