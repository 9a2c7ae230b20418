internal import FoundationEssentials

/// Writes messages as proto3's JSON mapping has them (protobuf.dev, "ProtoJSON Format"): fields without presence are
/// left out at their default, 64-bit integers are strings, enums are names.
struct JSONPrinting {
    let contracts: ContractSchema
    /// How many values of google.protobuf.Any are around what is written. Each hides its contents from the bound on
    /// the depth of messages, so a bound of its own keeps hostile bytes from using up the stack.
    var anyDepth = 0

    func object(_ message: DynamicMessage) -> JSONValue {
        if let special = wellKnown(message) { return special }
        return .object(members(message))
    }

    func members(_ message: DynamicMessage) -> [(name: String, value: JSONValue)] {
        message.schema.fields.compactMap { field in
            let list = message[field.number]
            guard let first = list.first, field.isRepeated || field.hasPresence || !first.isDefault else { return nil }
            return (field.jsonName, value(of: list, field))
        }
    }

    private func value(of list: [DynamicValue], _ field: FieldSchema) -> JSONValue {
        if field.kind == .message, contracts.messages[field.typeName]?.isMapEntry == true { return map(list) }
        let items = list.map { value($0, field) }
        return field.isRepeated ? .array(items) : items[0]
    }

    private func map(_ entries: [DynamicValue]) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = []
        var places: [String: Int] = [:]
        for case .message(let entry) in entries {
            guard let key = entry.schema.field(1), let content = entry.schema.field(2) else { continue }
            let name: String
            switch self.value(entry[1].first ?? defaultValue(key), key) {
            case .string(let text), .number(let text): name = text
            case .bool(let flag): name = String(flag)
            default: continue
            }
            let value = self.value(entry[2].first ?? defaultValue(content), content)
            // The last entry of a key wins, as on the wire.
            if let place = places[name] { members[place].value = value } else {
                places[name] = members.count
                members.append((name, value))
            }
        }
        return .object(members)
    }

    private func value(_ value: DynamicValue, _ field: FieldSchema) -> JSONValue {
        switch value {
        case .signed(let kind, let number):
            return kind == .int32 || kind == .sint32 || kind == .sfixed32
                ? .number(String(number)) : .string(String(number))
        case .unsigned(let kind, let number):
            return kind == .uint32 || kind == .fixed32 ? .number(String(number)) : .string(String(number))
        case .float(let number): return Self.number(Double(number), digits: String(number))
        case .double(let number): return Self.number(number, digits: String(number))
        case .bool(let flag): return .bool(flag)
        case .string(let text): return .string(text)
        case .bytes(let bytes): return .string(Data(bytes).base64EncodedString())
        case .enumeration(let number):
            if field.typeName == "google.protobuf.NullValue" { return .null }
            return contracts.enums[field.typeName]?.nameByNumber[number].map { .string($0) } ?? .number(String(number))
        case .message(let message): return object(message)
        }
    }

    /// Swift's digits are the shortest that read back as the same number.
    static func number(_ number: Double, digits: String) -> JSONValue {
        if number.isNaN { return .string("NaN") }
        if number.isInfinite { return .string(number < 0 ? "-Infinity" : "Infinity") }
        return .number(digits)
    }

    private func defaultValue(_ field: FieldSchema) -> DynamicValue {
        if let value = DynamicValue(field.kind, bits: 0) { return value }
        switch field.kind {
        case .bytes: return .bytes([])
        case .message: return contracts.messages[field.typeName].map { .message(DynamicMessage($0)) } ?? .string("")
        default: return .string("")
        }
    }
}
