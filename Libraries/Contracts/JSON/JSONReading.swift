internal import JSON
internal import RPC

/// Reads messages as proto3's JSON mapping has them (protobuf.dev, "ProtoJSON Format") into their bytes, strictly: a name that the
/// message does not have is an error with its path. Names are taken in JSON's spelling and in the contract's.
struct JSONReading {
    let contracts: ContractSchema

    /// The bytes of the message that a JSON value is, its fields in the order of their numbers.
    func bytes(_ json: JSONValue, _ schema: MessageSchema) throws(JSONMappingError) -> [UInt8] {
        var writer = WireWriter()
        try message(json, schema, into: &writer)
        return writer.bytes
    }

    func message(_ json: JSONValue, _ schema: MessageSchema, into writer: inout WireWriter) throws(JSONMappingError) {
        if let special = schema.wellKnown { return try wellKnown(special, json, schema, into: &writer) }
        try message(json, plain: schema, into: &writer)
    }

    /// Reads an object member by member, whatever its type.
    func message(_ json: JSONValue, plain schema: MessageSchema, into writer: inout WireWriter) throws(JSONMappingError) {
        guard case .object(let members) = json else { throw JSONMappingError("Must be an object, not \(json.kindName).") }
        for (place, member) in try places(members, schema) {
            let field = schema.fields[place]
            do throws(JSONMappingError) {
                try values(members[member].value, field, into: &writer)
            } catch {
                throw error.inside(field.name)
            }
        }
    }

    /// Which members set which fields, in the order of these.
    private func places(
        _ members: [(name: String, value: JSONValue)], _ schema: MessageSchema
    ) throws(JSONMappingError) -> [(place: Int, member: Int)] {
        var places: [(place: Int, member: Int)] = []
        places.reserveCapacity(members.count)
        var seen: Set<Int> = []
        for (index, member) in members.enumerated() {
            guard let place = schema.place(named: member.name) else {
                throw JSONMappingError("There is no field of this name.").inside(member.name)
            }
            let field = schema.fields[place]
            // Two names of one field, or two members of one oneof; an object has no name twice.
            if field.name != field.jsonName, !seen.insert(place).inserted {
                throw JSONMappingError("Is there twice, under both its names.").inside(field.name)
            }
            if case .null = member.value, !keepsNull(field) { continue }
            if let oneof = field.oneof, !seen.insert(-1 - oneof).inserted {
                throw JSONMappingError("Another field of the same oneof is set already.").inside(field.name)
            }
            places.append((place, index))
        }
        if zip(places, places.dropFirst()).contains(where: { $0.place > $1.place }) { places.sort { $0.place < $1.place } }
        return places
    }

    private func values(_ json: JSONValue, _ field: FieldSchema, into writer: inout WireWriter) throws(JSONMappingError) {
        guard field.isRepeated else { return try value(json, field, isItem: false, into: &writer) }
        if let entry = contracts.message(of: field), entry.isMapEntry { return try map(json, entry, field, into: &writer) }
        guard case .array(let items) = json else { throw JSONMappingError("Must be an array, not \(json.kindName).") }
        var packed = WireWriter()
        for (index, item) in items.enumerated() {
            do throws(JSONMappingError) {
                if case .null = item, !keepsNull(field) { throw JSONMappingError("An item must not be null.") }
                if field.isPackable { packed.number(try bits(item, field), field.kind) } else {
                    try value(item, field, isItem: true, into: &writer)
                }
            } catch {
                throw error.inside("[\(index)]")
            }
        }
        if !packed.bytes.isEmpty { writer.lengthDelimited(field.number, packed.bytes) }
    }

    private func map(
        _ json: JSONValue, _ entry: MessageSchema, _ field: FieldSchema, into writer: inout WireWriter
    ) throws(JSONMappingError) {
        guard case .object(let members) = json, let key = entry.field(1), let content = entry.field(2) else {
            throw JSONMappingError("Must be an object, not \(json.kindName).")
        }
        for member in members {
            let isFlag = key.kind == .bool && (member.name == "true" || member.name == "false")
            var message = WireWriter()
            do throws(JSONMappingError) {
                try value(isFlag ? .bool(member.name == "true") : .string(member.name), key, isItem: false, into: &message)
                try value(member.value, content, isItem: false, into: &message)
            } catch {
                throw error.inside("[\"\(member.name)\"]")
            }
            writer.lengthDelimited(field.number, message.bytes)
        }
    }

    /// Writes a value with its tag; but not what a field without presence leaves off the wire.
    private func value(
        _ json: JSONValue, _ field: FieldSchema, isItem: Bool, into writer: inout WireWriter
    ) throws(JSONMappingError) {
        let keepsDefault = isItem || field.hasPresence
        switch field.kind {
        case .message:
            guard let schema = contracts.message(of: field) else { throw JSONMappingError("Its type is not known here.") }
            var content = WireWriter()
            try message(json, schema, into: &content)
            writer.lengthDelimited(field.number, content.bytes)
        case .string:
            guard case .string(let text) = json else { throw wrong(json, "a string") }
            guard !text.utf8.contains(0) else { throw JSONMappingError("Must not hold U+0000.") }
            if keepsDefault || !text.isEmpty { writer.text(field.number, text) }
        case .bytes:
            guard case .string(let text) = json, let bytes = Base64.decode(inEither: text) else { throw wrong(json, "base64") }
            if keepsDefault || !bytes.isEmpty { writer.lengthDelimited(field.number, bytes) }
        case .group: throw JSONMappingError("Its type is not known here.")
        default:
            let bits = try bits(json, field)
            guard keepsDefault || bits != 0 else { return }
            writer.tag(field.number, field.numberWireType)
            writer.number(bits, field.kind)
        }
    }

    /// A number, a flag or an enum's value, as its bits go onto the wire.
    private func bits(_ json: JSONValue, _ field: FieldSchema) throws(JSONMappingError) -> UInt64 {
        switch field.kind {
        case .enumeration: return UInt64(bitPattern: Int64(try enumeration(json, field)))
        case .bool:
            guard case .bool(let flag) = json else { throw wrong(json, "a boolean") }
            return flag ? 1 : 0
        case .double, .float: return try JSONNumber.floating(json, isFloat: field.kind == .float)
        default: return try JSONNumber.integer(json, field.kind)
        }
    }

    private func enumeration(_ json: JSONValue, _ field: FieldSchema) throws(JSONMappingError) -> Int32 {
        switch json {
        case .null where field.typeName == "google.protobuf.NullValue": return 0
        case .string(let name):
            let type = contracts.enumeration(of: field)
            if let number = type?.numberByName[name] { return number }
            let names = (type?.nameByNumber ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            throw JSONMappingError("Must be one of \(names.joined(separator: ", ")).")
        case .number: return Int32(truncatingIfNeeded: try JSONNumber.integer(json, .int32))
        default: throw wrong(json, "the name of an enum's value")
        }
    }

    /// Null is a value of its own only for these; elsewhere it means that the field is not set.
    private func keepsNull(_ field: FieldSchema) -> Bool {
        field.typeName == "google.protobuf.Value" || field.typeName == "google.protobuf.NullValue"
    }

    func wrong(_ json: JSONValue, _ wanted: String) -> JSONMappingError {
        JSONMappingError("Must be \(wanted), not \(json.kindName).")
    }
}
