internal import FoundationEssentials

/// Reads messages as proto3's JSON mapping has them (protobuf.dev, "ProtoJSON Format"), strictly: a name that the
/// message does not have is an error with its path. Names are taken in JSON's spelling and in the contract's.
struct JSONReading {
    let contracts: ContractSchema

    func message(_ json: JSONValue, _ schema: MessageSchema, _ path: String) throws(JSONMappingError) -> DynamicMessage {
        if let special = try wellKnown(json, schema, path) { return special }
        return try message(json, plain: schema, path)
    }

    /// Reads an object member by member, whatever its type.
    func message(
        _ json: JSONValue, plain schema: MessageSchema, _ path: String
    ) throws(JSONMappingError) -> DynamicMessage {
        guard case .object(let members) = json else {
            throw JSONMappingError(path: path, reason: "Must be an object, not \(json.kindName).")
        }
        var message = DynamicMessage(schema)
        var oneofs: Set<Int> = []
        for member in members {
            guard let field = schema.field(named: member.name) else {
                throw JSONMappingError(path: Self.join(path, member.name), reason: "There is no field of this name.")
            }
            let fieldPath = Self.join(path, field.name)
            guard message[field.number].isEmpty else {
                throw JSONMappingError(path: fieldPath, reason: "Is there twice, under both its names.")
            }
            if member.value == .null, !keepsNull(field) { continue }
            if let oneof = field.oneof, !oneofs.insert(oneof).inserted {
                throw JSONMappingError(path: fieldPath, reason: "Another field of the same oneof is set already.")
            }
            message[field.number] = try values(member.value, field, fieldPath)
        }
        return message
    }

    private func values(
        _ json: JSONValue, _ field: FieldSchema, _ path: String
    ) throws(JSONMappingError) -> [DynamicValue] {
        guard field.isRepeated else { return [try value(json, field, path)] }
        if field.kind == .message, let entry = contracts.messages[field.typeName], entry.isMapEntry {
            return try map(json, entry, path)
        }
        guard case .array(let items) = json else {
            throw JSONMappingError(path: path, reason: "Must be an array, not \(json.kindName).")
        }
        var list: [DynamicValue] = []
        list.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            if item == .null, !keepsNull(field) {
                throw JSONMappingError(path: "\(path)[\(index)]", reason: "An item must not be null.")
            }
            list.append(try value(item, field, "\(path)[\(index)]"))
        }
        return list
    }

    private func map(
        _ json: JSONValue, _ entry: MessageSchema, _ path: String
    ) throws(JSONMappingError) -> [DynamicValue] {
        guard case .object(let members) = json, let key = entry.field(1), let content = entry.field(2) else {
            throw JSONMappingError(path: path, reason: "Must be an object, not \(json.kindName).")
        }
        var list: [DynamicValue] = []
        for member in members {
            let memberPath = "\(path)[\"\(member.name)\"]"
            var message = DynamicMessage(entry)
            let keyJSON: JSONValue =
                key.kind == .bool && (member.name == "true" || member.name == "false")
                ? .bool(member.name == "true") : .string(member.name)
            message[1] = [try value(keyJSON, key, memberPath)]
            message[2] = [try value(member.value, content, memberPath)]
            list.append(.message(message))
        }
        return list
    }

    private func value(
        _ json: JSONValue, _ field: FieldSchema, _ path: String
    ) throws(JSONMappingError) -> DynamicValue {
        switch field.kind {
        case .message, .group:
            guard let schema = contracts.messages[field.typeName] else {
                throw JSONMappingError(path: path, reason: "Its type is not known here.")
            }
            return .message(try message(json, schema, path))
        case .enumeration: return .enumeration(try enumeration(json, field, path))
        case .bool:
            guard case .bool(let flag) = json else { throw wrong(json, "a boolean", path) }
            return .bool(flag)
        case .string:
            guard case .string(let text) = json else { throw wrong(json, "a string", path) }
            guard !text.utf8.contains(0) else { throw JSONMappingError(path: path, reason: "Must not hold U+0000.") }
            return .string(text)
        case .bytes:
            guard case .string(let text) = json, let bytes = Self.base64(text) else { throw wrong(json, "base64", path) }
            return .bytes(bytes)
        case .double, .float: return try JSONNumber.floating(json, isFloat: field.kind == .float, path)
        default: return try JSONNumber.integer(json, field.kind, path)
        }
    }

    private func enumeration(
        _ json: JSONValue, _ field: FieldSchema, _ path: String
    ) throws(JSONMappingError) -> Int32 {
        switch json {
        case .null where field.typeName == "google.protobuf.NullValue": return 0
        case .string(let name):
            if let number = contracts.enums[field.typeName]?.numberByName[name] { return number }
            let names = (contracts.enums[field.typeName]?.nameByNumber ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            throw JSONMappingError(path: path, reason: "Must be one of \(names.joined(separator: ", ")).")
        case .number:
            if case .signed(_, let number) = try JSONNumber.integer(json, .int32, path) { return Int32(clamping: number) }
            fallthrough
        default: throw wrong(json, "the name of an enum's value", path)
        }
    }

    /// Null is a value of its own only for these; elsewhere it means that the field is not set.
    private func keepsNull(_ field: FieldSchema) -> Bool {
        field.typeName == "google.protobuf.Value" || field.typeName == "google.protobuf.NullValue"
    }

    func wrong(_ json: JSONValue, _ wanted: String, _ path: String) -> JSONMappingError {
        JSONMappingError(path: path, reason: "Must be \(wanted), not \(json.kindName).")
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// Standard and URL-safe, with padding or without.
    private static func base64(_ text: String) -> [UInt8]? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/").prefix { $0 != "=" }
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        return Data(base64Encoded: standard + padding).map { [UInt8]($0) }
    }
}
