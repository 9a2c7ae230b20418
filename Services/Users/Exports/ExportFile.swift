internal import Application
internal import FoundationEssentials
internal import Time

/// What stands before and behind the records in the file of an export.
///
/// The end says of the bytes before it how many they are and what their SHA-256 is, and how many records of which type are in them: who has the file
/// verifies it without asking anybody, and a part of it is never taken for the whole.
struct ExportFile: Sendable {
    let export: Export
    let user: UserID

    /// What is said of the records, at the end of the file.
    struct Manifest: Codable, Hashable, Sendable {
        let bytes: Int64
        let sha256: String
        let counts: [String: Int64]
    }

    private struct Beginning: Codable {
        struct Head: Codable {
            let format: String
            let id: String
            let person: String
            let requestedAt: String

            enum CodingKeys: String, CodingKey {
                case format, id, person
                case requestedAt = "requested_at"
            }
        }

        let export: Head
    }

    private struct End: Codable {
        let manifest: Manifest
    }

    /// A line that says what the file is; or the beginning of a Bundle of the type `collection`, "a set of resources collected into a single package
    /// for ease of distribution" that asks nothing of whoever reads it (FHIR R4, Bundle.type).
    var beginning: [UInt8] {
        switch export.format {
        case .jsonLines:
            let head = Beginning.Head(
                format: "heartguard-records/1", id: export.id.text, person: user.uuid.text,
                requestedAt: export.requestedAt.rfc3339)
            return Self.json(Beginning(export: head)) + [0x0A]
        case .fhirR4:
            return Array(
                """
                {"resourceType":"Bundle","id":"\(export.id.text)","type":"collection","timestamp":"\(export.requestedAt.rfc3339)","entry":[

                """.utf8)
        }
    }

    /// A line; or the last entry of the Bundle, a Binary of that line, and the Bundle's end.
    func end(_ manifest: Manifest) -> [UInt8] {
        switch export.format {
        case .jsonLines: return Self.json(End(manifest: manifest)) + [0x0A]
        case .fhirR4:
            let data = Data(Self.json(End(manifest: manifest))).base64EncodedString()
            let id = export.id.text
            return Array(
                """
                {"fullUrl":"urn:uuid:\(id)","resource":{"resourceType":"Binary","id":"\(id)","contentType":"application/json","data":"\(data)"}}
                ]}

                """.utf8)
        }
    }

    private static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(value) else { preconditionFailure("strings and whole numbers are JSON") }
        return Array(json)
    }
}
