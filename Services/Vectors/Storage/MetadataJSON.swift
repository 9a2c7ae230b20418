internal import Filters
internal import FoundationEssentials
internal import Postgres

/// A document's metadata as the JSON object that its column holds: texts, numbers and booleans as JSON has them, and a time
/// as `{"time_us": 1771632000000000}`, in microseconds since 1970.
enum MetadataJSON {
    static func encode(_ metadata: DocumentMetadata) throws(PostgresError) -> JSONB {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        do {
            let data = try encoder.encode(metadata.entries.mapValues(Node.init(value:)))
            return JSONB(String(decoding: data, as: UTF8.self))
        } catch {
            throw PostgresError(.decoding, "The metadata could not be written as JSON.", cause: error)
        }
    }

    static func decode(_ json: JSONB) throws(PostgresError) -> DocumentMetadata {
        do {
            let nodes = try JSONDecoder().decode([String: Node].self, from: Data(json.text.utf8))
            return DocumentMetadata(kept: nodes.mapValues(\.value))
        } catch {
            // Not passed on as a cause: the decoder's error may quote what it read.
            throw PostgresError(
                .decoding, "Column “metadata” does not hold an object of strings, numbers, booleans and times.")
        }
    }

    private struct Node: Codable {
        let value: MetadataValue

        private enum CodingKeys: String, CodingKey {
            case time = "time_us"
        }

        init(value: MetadataValue) { self.value = value }

        init(from decoder: any Decoder) throws {
            // Most are texts. What is of another type throws; the last attempt's error is the one that counts.
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                value = .text(text)
            } else if let number = try? container.decode(Double.self) {
                value = .number(number)
            } else if let boolean = try? container.decode(Bool.self) {
                value = .boolean(boolean)
            } else {
                value = .time(try decoder.container(keyedBy: CodingKeys.self).decode(Int64.self, forKey: .time))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch value {
            case .text(let text): try text.encode(to: encoder)
            case .number(let number): try number.encode(to: encoder)
            case .boolean(let boolean): try boolean.encode(to: encoder)
            case .time(let microseconds):
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(microseconds, forKey: .time)
            }
        }
    }
}
