internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

extension MessageMetadata {
    /// The JSON object that the message stands for; an absent one is empty.
    init(_ metadata: GoogleProtobuf.Struct?) throws(InvalidValue) {
        guard let metadata, !metadata.fields.isEmpty else {
            self = .none
            return
        }
        let node = try JSONNode(metadata, depth: 1)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(node) else {
            // The encoder's only complaint is about what JSON has no word for.
            throw InvalidValue(sentence: "It holds a number that JSON cannot express.")
        }
        try self.init(json: String(decoding: data, as: UTF8.self))
    }
}

extension GoogleProtobuf.Struct {
    /// What was kept; `nil` if it is empty, as if it had been left out.
    static func kept(_ metadata: MessageMetadata) throws -> GoogleProtobuf.Struct? {
        guard !metadata.isEmpty else { return nil }
        do {
            let fields = try JSONDecoder().decode([String: JSONNode].self, from: Data(metadata.json.utf8))
            return GoogleProtobuf.Struct(fields: fields.mapValues(\.value))
        } catch {
            // Not passed on as a cause: the decoder's error may quote what it read.
            throw RPCError(.dataLoss, "The metadata of a message cannot be read.")
        }
    }
}

/// A value of a Struct on its way to or from JSON text.
private enum JSONNode: Codable {
    /// JSONDecoder reads 512 levels; what is written must be readable, by other programs too.
    static let maxDepth = 100

    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([String: JSONNode])

    init(_ message: GoogleProtobuf.Struct, depth: Int) throws(InvalidValue) {
        guard depth <= Self.maxDepth else {
            throw InvalidValue(sentence: "It must be nested at most \(Self.maxDepth) deep.")
        }
        var object: [String: JSONNode] = [:]
        for (key, value) in message.fields { object[key] = try JSONNode(value, depth: depth + 1) }
        self = .object(object)
    }

    init(_ value: GoogleProtobuf.Value, depth: Int) throws(InvalidValue) {
        guard depth <= Self.maxDepth else {
            throw InvalidValue(sentence: "It must be nested at most \(Self.maxDepth) deep.")
        }
        switch value.kind {
        case .nullValue, nil: self = .null
        case .boolValue(let bool): self = .bool(bool)
        case .numberValue(let number): self = .number(number)
        case .stringValue(let string): self = .string(string)
        case .structValue(let message): self = try JSONNode(message, depth: depth)
        case .listValue(let list):
            var array: [JSONNode] = []
            for value in list.values { array.append(try JSONNode(value, depth: depth + 1)) }
            self = .array(array)
        }
    }

    var value: GoogleProtobuf.Value {
        switch self {
        case .null: .init(kind: .nullValue(.nullValue))
        case .bool(let bool): .init(kind: .boolValue(bool))
        case .number(let number): .init(kind: .numberValue(number))
        case .string(let string): .init(kind: .stringValue(string))
        case .array(let nodes): .init(kind: .listValue(.init(values: nodes.map(\.value))))
        case .object(let nodes): .init(kind: .structValue(.init(fields: nodes.mapValues(\.value))))
        }
    }

    init(from decoder: any Decoder) throws {
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

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .number(let number): try container.encode(number)
        case .string(let string): try container.encode(string)
        case .array(let nodes): try container.encode(nodes)
        case .object(let nodes): try container.encode(nodes)
        }
    }
}
