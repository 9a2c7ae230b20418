internal import Filters
internal import FoundationEssentials
internal import JSON
internal import Postgres

/// A document's metadata as the JSON object that its column holds: texts, numbers and booleans as JSON has them, and a time
/// as `{"time_us": 1771632000000000}`, in microseconds since 1970.
enum MetadataJSON {
    private static let time = "time_us"

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
        guard case .object(let members)? = try? JSONParser.parse(Array(json.text.utf8)) else { throw unreadable }
        var entries: [String: MetadataValue] = [:]
        for member in members { entries[member.name] = try value(member.value) }
        return DocumentMetadata(kept: entries)
    }

    private static func value(_ json: JSONValue) throws(PostgresError) -> MetadataValue {
        switch json {
        case .string(let text): return .text(text)
        case .bool(let boolean): return .boolean(boolean)
        case .number(let digits):
            guard let number = Double(digits), number.isFinite else { throw unreadable }
            return .number(number)
        case .object(let members):
            guard members.count == 1, members[0].name == time, case .number(let digits) = members[0].value, let microseconds = Int64(digits) else {
                throw unreadable
            }
            return .time(microseconds)
        case .null, .array: throw unreadable
        }
    }

    /// Without a cause, which might quote what was read.
    private static var unreadable: PostgresError {
        PostgresError(.decoding, "Column “metadata” does not hold an object of strings, numbers, booleans and times.")
    }

    private struct Node: Encodable {
        let value: MetadataValue

        func encode(to encoder: any Encoder) throws {
            switch value {
            case .text(let text): try text.encode(to: encoder)
            case .number(let number): try number.encode(to: encoder)
            case .boolean(let boolean): try boolean.encode(to: encoder)
            case .time(let microseconds): try [MetadataJSON.time: microseconds].encode(to: encoder)
            }
        }
    }
}
