internal import RPC

extension ContractMessage {
    /// The message for people, with every field that the contract marks as health information or secret left out.
    package var description: String {
        var printing = JSONPrinting(contracts: Self.schema, redacted: true)
        guard let bytes = try? serialized(), let schema = Self.schema.messages[Self.fullName],
            (try? printing.message(bytes[...], schema, depth: 0)) != nil
        else { return "\(Self.fullName)(unreadable)" }
        return "\(Self.fullName)\(String(decoding: printing.writer.bytes, as: UTF8.self))"
    }
}
