internal import FoundationEssentials
internal import Postgres

/// A document's metadata as the JSON object that its column holds.
enum MetadataJSON {
    static func encode(_ metadata: DocumentMetadata) throws(PostgresError) -> JSONB {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        do {
            return JSONB(String(decoding: try encoder.encode(metadata.entries), as: UTF8.self))
        } catch {
            throw PostgresError(.decoding, "The metadata could not be written as JSON.", cause: error)
        }
    }

    static func decode(_ json: JSONB) throws(PostgresError) -> DocumentMetadata {
        do {
            return DocumentMetadata(kept: try JSONDecoder().decode([String: String].self, from: Data(json.text.utf8)))
        } catch {
            // Not passed on as a cause: the decoder's error may quote what it read.
            throw PostgresError(.decoding, "Column “metadata” does not hold an object of strings.")
        }
    }
}
