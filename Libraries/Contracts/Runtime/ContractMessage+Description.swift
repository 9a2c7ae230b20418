internal import RPC

extension ContractMessage {
    /// The message for people, with every field that the contract marks as health information or secret left out.
    package var description: String {
        guard let bytes = try? serialized(), let schema = Self.schema.messages[Self.fullName],
            let message = DynamicMessage(schema, decoding: bytes[...], in: Self.schema)
        else { return "\(Self.fullName)(unreadable)" }
        return "\(Self.fullName)(\(message.redactedFields))"
    }
}

extension DynamicMessage {
    fileprivate var redactedFields: String {
        schema.fields.compactMap { field in
            let list = self[field.number]
            guard !list.isEmpty else { return nil }
            if field.isPHI { return "\(field.name): ‹redacted›" }
            let texts = list.map(\.redactedText)
            return "\(field.name): " + (field.isRepeated ? "[\(texts.joined(separator: ", "))]" : texts[0])
        }.joined(separator: ", ")
    }
}

extension DynamicValue {
    fileprivate var redactedText: String {
        switch self {
        case .signed(_, let number): String(number)
        case .unsigned(_, let number): String(number)
        case .float(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): String(flag)
        case .string(let text): "\"\(text)\""
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .enumeration(let number): String(number)
        case .message(let message): "(\(message.redactedFields))"
        }
    }
}
