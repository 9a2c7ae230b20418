extension JSONReading {
    /// The types that have a form of their own in JSON; nil for all others.
    func wellKnown(
        _ json: JSONValue, _ schema: MessageSchema, _ path: String
    ) throws(JSONMappingError) -> DynamicMessage? {
        guard schema.fullName.hasPrefix("google.protobuf.") else { return nil }
        var message = DynamicMessage(schema)
        switch schema.fullName.dropFirst("google.protobuf.".count) {
        case "Timestamp":
            guard case .string(let text) = json, let (seconds, nanos) = WellKnownText.timestamp(text) else {
                throw JSONMappingError(path: path, reason: "Must be a time as in \"2026-02-21T08:30:00Z\" (RFC 3339).")
            }
            set(&message, seconds, nanos)
        case "Duration":
            guard case .string(let text) = json, let (seconds, nanos) = WellKnownText.duration(text) else {
                throw JSONMappingError(path: path, reason: "Must be a duration in seconds, as in \"1.5s\".")
            }
            set(&message, seconds, nanos)
        case "FieldMask":
            guard case .string(let text) = json else { throw wrong(json, "field names with commas between", path) }
            message[1] = text.split(separator: ",").map { .string(WellKnownText.snakeCase(String($0))) }
        case "Struct":
            return try self.message(.object([("fields", json)]), plain: schema, path)
        case "ListValue":
            return try self.message(.object([("values", json)]), plain: schema, path)
        case "Value":
            let member: String =
                switch json {
                case .null: "nullValue"
                case .bool: "boolValue"
                case .number: "numberValue"
                case .string: "stringValue"
                case .array: "listValue"
                case .object: "structValue"
                }
            return try self.message(.object([(member, json)]), plain: schema, path)
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
            "StringValue", "BytesValue":
            return try self.message(.object([("value", json)]), plain: schema, path)
        case "Any":
            return try any(json, schema, path)
        default:
            return nil
        }
        return message
    }

    private func set(_ message: inout DynamicMessage, _ seconds: Int64, _ nanos: Int64) {
        message[1] = [.signed(.int64, seconds)]
        message[2] = [.signed(.int32, nanos)]
    }

    private func any(_ json: JSONValue, _ schema: MessageSchema, _ path: String) throws(JSONMappingError) -> DynamicMessage {
        guard case .object(var members) = json else { throw wrong(json, "an object", path) }
        var message = DynamicMessage(schema)
        if members.isEmpty { return message }
        guard let index = members.firstIndex(where: { $0.name == "@type" }),
            case .string(let url) = members.remove(at: index).value,
            let content = contracts.messages[url.split(separator: "/").last.map(String.init) ?? ""]
        else { throw JSONMappingError(path: path, reason: "Must have an \"@type\" that is known here.") }
        let read: DynamicMessage
        if let value = members.first(where: { $0.name == "value" })?.value,
            let special = try wellKnown(value, content, path)
        {
            read = special
        } else {
            read = try self.message(.object(members), content, path)
        }
        message[1] = [.string(url)]
        message[2] = [.bytes(read.serialized)]
        return message
    }
}
