/// A message as a list of fields and values, for what shows all messages alike.
struct DynamicMessage {
    let schema: MessageSchema
    /// The values of each field that was on the wire, by number; one for a field that is not repeated.
    private(set) var values: [Int: [DynamicValue]] = [:]

    /// Reads a serialized message. Nil when the bytes are none, or nest deeper than 100 messages.
    init?(_ schema: MessageSchema, decoding bytes: ArraySlice<UInt8>, in contracts: ContractSchema, depth: Int = 0) {
        guard depth <= 100 else { return nil }
        self.schema = schema
        var messageBytes: [Int: [UInt8]] = [:]
        var reader = WireReader(bytes)
        while let part = reader.next() {
            guard let field = schema.field(part.number) else { continue }
            if field.kind == .message, !field.isRepeated {
                // Two pieces of one message are merged, which concatenating them does.
                messageBytes[part.number, default: []] += part.bytes
                continue
            }
            guard let read = Self.values(part, field, contracts, depth) else { return nil }
            if field.isRepeated { values[part.number, default: []] += read } else { values[part.number] = read }
        }
        guard reader.isAtEnd else { return nil }
        for (number, bytes) in messageBytes {
            guard let field = schema.field(number), let type = contracts.messages[field.typeName],
                let message = DynamicMessage(type, decoding: bytes[...], in: contracts, depth: depth + 1)
            else { return nil }
            values[number] = [.message(message)]
        }
    }

    subscript(_ number: Int) -> [DynamicValue] { values[number] ?? [] }

    private static func values(
        _ part: WireReader.Field, _ field: FieldSchema, _ contracts: ContractSchema, _ depth: Int
    ) -> [DynamicValue]? {
        guard part.wireType == 2 else { return DynamicValue(field.kind, bits: part.value).map { [$0] } }
        switch field.kind {
        case .string: return [.string(part.text)]
        case .bytes: return [.bytes(Array(part.bytes))]
        case .message:
            guard let type = contracts.messages[field.typeName],
                let message = DynamicMessage(type, decoding: part.bytes, in: contracts, depth: depth + 1)
            else { return nil }
            return [.message(message)]
        default:
            var reader = WireReader(part.bytes)
            var list: [DynamicValue] = []
            while !reader.isAtEnd {
                let bits: UInt64? =
                    switch field.kind {
                    case .double, .fixed64, .sfixed64: reader.fixed(8)
                    case .float, .fixed32, .sfixed32: reader.fixed(4)
                    default: reader.varint()
                    }
                guard let bits, let value = DynamicValue(field.kind, bits: bits) else { return nil }
                list.append(value)
            }
            return list
        }
    }
}
