internal import Time

extension JSONPrinting {
    /// Writes a message in the form of its own that its type has in JSON; `false`, and nothing is written, for a value that has none.
    mutating func wellKnown(
        _ type: WellKnownType, _ content: ArraySlice<UInt8>, _ schema: MessageSchema, _ depth: Int
    ) throws(Unreadable) -> Bool {
        switch type {
        case .timestamp:
            let (seconds, nanos) = try Self.secondsAndNanos(content, schema)
            guard let text = WellKnownText.timestamp(seconds: seconds, nanos: nanos) else { return false }
            writer.string(text)
        case .duration:
            let (seconds, nanos) = try Self.secondsAndNanos(content, schema)
            guard let text = WellKnownText.duration(seconds: seconds, nanos: nanos) else { return false }
            writer.string(text)
        case .fieldMask:
            guard let text = WellKnownText.fieldMask(try MessageParts(content, schema).all.map(\.value.text)) else { return false }
            writer.string(text)
        case .structure: if try !only(content, schema, depth) { writer.raw("{}") }
        case .list: if try !only(content, schema, depth) { writer.raw("[]") }
        case .value: if try !only(content, schema, depth) { writer.raw("null") }
        case .wrapper:
            // A wrapper is written even when it holds the default.
            guard let field = schema.field(1) else { return false }
            try value(try MessageParts(content, schema).single(1, field) ?? .absent(field), field, depth)
        case .any: try any(content, schema, depth)
        }
        return true
    }

    /// Writes the one field that is there, without its name; `false` if none is.
    private mutating func only(_ content: ArraySlice<UInt8>, _ schema: MessageSchema, _ depth: Int) throws(Unreadable) -> Bool {
        let parts = try MessageParts(content, schema)
        guard let place = parts.last else { return false }
        let field = schema.fields[place]
        let values = parts.all.filter { $0.place == place }[...]
        if field.isRepeated { try items(values, field, depth) } else if let single = MessageParts.single(values, field) {
            try value(single, field, depth)
        }
        return true
    }

    private static func secondsAndNanos(_ content: ArraySlice<UInt8>, _ schema: MessageSchema) throws(Unreadable) -> (Int64, Int64) {
        let parts = try MessageParts(content, schema)
        func number(_ number: Int) -> UInt64 {
            guard let field = schema.field(number) else { return 0 }
            return parts.single(number, field)?.value ?? 0
        }
        return (Int64(bitPattern: number(1)), Int64(Int32(truncatingIfNeeded: number(2))))
    }

    private static let deepestAny = 10

    /// An Any whose type is not known here, or that lies too deep, is written as its type alone.
    private mutating func any(_ message: ArraySlice<UInt8>, _ schema: MessageSchema, _ depth: Int) throws(Unreadable) {
        let parts = try MessageParts(message, schema)
        guard let urlField = schema.field(1), let contentField = schema.field(2), let url = parts.single(1, urlField)?.text else {
            return writer.raw("{}")
        }
        writer.raw("{\"@type\":")
        writer.string(url)
        var inside = self
        inside.anyDepth += 1
        if anyDepth < Self.deepestAny, let name = url.split(separator: "/").last, let type = contracts.messages[String(name)],
            (try? inside.members(of: parts.single(2, contentField)?.bytes ?? [], type)) != nil
        {
            writer = inside.writer
        }
        writer.raw("}")
    }

    /// The members of an Any's content, or the form of its own that it has as the member `value`.
    private mutating func members(of content: ArraySlice<UInt8>, _ schema: MessageSchema) throws(Unreadable) {
        let begin = writer
        writer.raw(",\"value\":")
        if let special = schema.wellKnown, try wellKnown(special, content, schema, 0) { return }
        writer = begin
        var isFirst = false
        try members(content, schema, 0, &isFirst)
    }
}
