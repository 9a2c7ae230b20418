package import Contracts

/// Any JSON, between a `google.protobuf.Value` and the text that a table keeps.
package enum JSONNode: Hashable, Sendable, Codable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([String: JSONNode])

    /// As deep as messages are read, which is a hundred levels.
    package init(_ value: GoogleProtobuf.Value) {
        self = switch value.kind {
        case .nullValue, nil: .null
        case .boolValue(let bool): .bool(bool)
        case .numberValue(let number): .number(number)
        case .stringValue(let string): .string(string)
        case .structValue(let object): .object(object.fields.mapValues { JSONNode($0) })
        case .listValue(let list): .array(list.values.map { JSONNode($0) })
        }
    }

    package var message: GoogleProtobuf.Value {
        switch self {
        case .null: .init(kind: .nullValue(.nullValue))
        case .bool(let bool): .init(kind: .boolValue(bool))
        case .number(let number): .init(kind: .numberValue(number))
        case .string(let string): .init(kind: .stringValue(string))
        case .array(let values): .init(kind: .listValue(.init(values: values.map(\.message))))
        case .object(let values): .init(kind: .structValue(.init(fields: values.mapValues(\.message))))
        }
    }

    /// How deep it is: a text or a number is one level.
    package var levels: Int {
        switch self {
        case .null, .bool, .number, .string: 1
        case .array(let values): 1 + (values.map(\.levels).max() ?? 0)
        case .object(let values): 1 + (values.values.map(\.levels).max() ?? 0)
        }
    }

    /// Whether a text or a key has what PostgreSQL cannot keep.
    package var hasNUL: Bool {
        switch self {
        case .null, .bool, .number: false
        case .string(let text): text.hasNUL
        case .array(let values): values.contains(where: \.hasNUL)
        case .object(let values): values.contains { $0.key.hasNUL || $0.value.hasNUL }
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let string = try? container.decode(String.self) {
            self = .string(string)
        } else if let array = try? container.decode([JSONNode].self) {
            self = .array(array)
        } else {
            self = .object(try container.decode([String: JSONNode].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .number(let number): try container.encode(number)
        case .string(let string): try container.encode(string)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}
