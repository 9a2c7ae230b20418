internal import Time

extension JSONPrinting {
    /// The types that have a form of their own in JSON; nil for all others and for values that have none.
    func wellKnown(_ message: DynamicMessage) -> JSONValue? {
        guard message.schema.fullName.hasPrefix("google.protobuf.") else { return nil }
        switch message.schema.fullName.dropFirst("google.protobuf.".count) {
        case "Timestamp":
            return WellKnownText.timestamp(seconds: integer(message, 1), nanos: integer(message, 2)).map { .string($0) }
        case "Duration":
            return .string(WellKnownText.duration(seconds: integer(message, 1), nanos: integer(message, 2)))
        case "FieldMask":
            let paths = message[1].compactMap { if case .string(let path) = $0 { path } else { nil } }
            return WellKnownText.fieldMask(paths).map { .string($0) }
        case "Struct":
            guard case .object(let members) = JSONValue.object(members(message)), let fields = members.first?.value else {
                return .object([])
            }
            return fields
        case "ListValue":
            return members(message).first?.value ?? .array([])
        case "Value":
            return members(message).first?.value ?? .null
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
            "StringValue", "BytesValue":
            return wrapped(message)
        case "Any":
            return any(message)
        default:
            return nil
        }
    }

    private func integer(_ message: DynamicMessage, _ number: Int) -> Int64 {
        if case .signed(_, let value) = message[number].first { value } else { 0 }
    }

    /// A wrapper is written even when it holds the default.
    private func wrapped(_ message: DynamicMessage) -> JSONValue? {
        if let value = members(message).first?.value { return value }
        guard let kind = message.schema.field(1)?.kind else { return nil }
        switch kind {
        case .bool: return .bool(false)
        case .string, .bytes: return .string("")
        case .int64, .uint64: return .string("0")
        default: return .number("0")
        }
    }

    private static let deepestAny = 10

    /// An Any whose type is not known here, or that lies too deep, is written as its type alone.
    private func any(_ message: DynamicMessage) -> JSONValue? {
        guard case .string(let url) = message[1].first else { return .object([]) }
        var bytes: [UInt8] = []
        if case .bytes(let content) = message[2].first { bytes = content }
        guard anyDepth < Self.deepestAny, let name = url.split(separator: "/").last, let schema = contracts.messages[String(name)],
            let content = DynamicMessage(schema, decoding: bytes[...], in: contracts)
        else { return .object([("@type", .string(url))]) }
        var inside = self
        inside.anyDepth += 1
        if let special = inside.wellKnown(content) { return .object([("@type", .string(url)), ("value", special)]) }
        return .object([("@type", .string(url))] + inside.members(content))
    }
}
