internal import JSON

extension JSONReading {
    /// Reads the types that have a form of their own in JSON.
    func wellKnown(
        _ type: WellKnownType, _ json: JSONValue, _ schema: MessageSchema, into writer: inout WireWriter
    ) throws(JSONMappingError) {
        switch type {
        case .timestamp:
            guard case .string(let text) = json, let (seconds, nanos) = WellKnownText.timestamp(text) else {
                throw JSONMappingError("Must be a time as in \"2026-02-21T08:30:00Z\" (RFC 3339).")
            }
            write(seconds, nanos, into: &writer)
        case .duration:
            guard case .string(let text) = json, let (seconds, nanos) = WellKnownText.duration(text) else {
                throw JSONMappingError("Must be a duration in seconds, as in \"1.5s\".")
            }
            write(seconds, nanos, into: &writer)
        case .fieldMask:
            guard case .string(let text) = json, let paths = WellKnownText.fieldMask(text) else {
                throw JSONMappingError("Must be field names in camel case with commas between.")
            }
            for path in paths { writer.text(1, path) }
        case .structure: try only("fields", json, schema, into: &writer)
        case .list: try only("values", json, schema, into: &writer)
        case .wrapper: try only("value", json, schema, into: &writer)
        case .value:
            let member: String =
                switch json {
                case .null: "nullValue"
                case .bool: "boolValue"
                case .number: "numberValue"
                case .string: "stringValue"
                case .array: "listValue"
                case .object: "structValue"
                }
            try only(member, json, schema, into: &writer)
        case .any: try any(json, into: &writer)
        }
    }

    /// Reads a value as the one member of a message, which its path does not name.
    private func only(
        _ member: String, _ json: JSONValue, _ schema: MessageSchema, into writer: inout WireWriter
    ) throws(JSONMappingError) {
        try message(.object([(member, json)]), plain: schema, into: &writer)
    }

    private func write(_ seconds: Int64, _ nanos: Int64, into writer: inout WireWriter) {
        for (number, value) in [(1, seconds), (2, nanos)] where value != 0 {
            writer.tag(number, 0)
            writer.varint(UInt64(bitPattern: value))
        }
    }

    private func any(_ json: JSONValue, into writer: inout WireWriter) throws(JSONMappingError) {
        guard case .object(var members) = json else { throw wrong(json, "an object") }
        if members.isEmpty { return }
        guard let index = members.firstIndex(where: { $0.name == "@type" }),
            case .string(let url) = members.remove(at: index).value,
            let content = contracts.messages[url.split(separator: "/").last.map(String.init) ?? ""]
        else { throw JSONMappingError("Must have an \"@type\" that is known here.") }
        var read = WireWriter()
        if content.wellKnown != nil, let value = members.first(where: { $0.name == "value" })?.value {
            try message(value, content, into: &read)
        } else {
            try message(.object(members), content, into: &read)
        }
        writer.text(1, url)
        if !read.bytes.isEmpty { writer.lengthDelimited(2, read.bytes) }
    }
}
