package import RPC

extension RPCError {
    /// The error as the JSON door writes it: `{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": …,
    /// "details": […]}}`, the details by google.protobuf.Any's mapping. Source: google.aip.dev/193.
    package func json(httpStatus: Int) -> [UInt8] {
        let schema = ContractRegistry.schema
        var details: [JSONValue] = []
        if let type = schema.messages[GoogleRPC.Status.fullName],
            let status = DynamicMessage(type, decoding: self.details[...], in: schema),
            case .object(let members) = JSONPrinting(contracts: schema).object(status),
            case .array(let items) = members.first(where: { $0.name == "details" })?.value
        {
            details = items
        }
        var writer = JSONWriter()
        writer.write(
            .object([
                (
                    "error",
                    .object([
                        ("code", .number(String(httpStatus))), ("status", .string(code.name)),
                        ("message", .string(message)), ("details", .array(details)),
                    ])
                )
            ]))
        return writer.bytes
    }

    /// When the caller may try again, in whole seconds and at least one; nil when the error does not say.
    package var retryAfterSeconds: Int? {
        guard let delay = detail(GoogleRPC.RetryInfo.self)?.retryDelay else { return nil }
        return max(1, Int(delay.seconds) + (delay.nanos > 0 ? 1 : 0))
    }
}
