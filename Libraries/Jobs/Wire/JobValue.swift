internal import FoundationEssentials

/// A value of JSON: what arguments and results are on the wire, whoever wrote them.
package enum JobValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case array([JobValue])
    case object([String: JobValue])

    package init(parsing bytes: [UInt8]) throws { self = try JSONDecoder().decode(JobValue.self, from: Data(bytes)) }

    /// What a value of Swift is in JSON.
    package init(_ value: some Encodable) throws { self = try JobValue(parsing: Array(JSONEncoder().encode(value))) }

    package func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        if let value = self as? Value { return value }
        return try JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }

    package var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try Array(encoder.encode(self))
        }
    }

    var object: [String: JobValue]? { if case .object(let members) = self { members } else { nil } }
    var array: [JobValue]? { if case .array(let elements) = self { elements } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// A whole number, which Python may have written as 5.0.
    var integer: Int64? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int64(exactly: number)
        default: nil
        }
    }
}

extension JobValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JobValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JobValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
