package import RPC

extension RPCError {
    /// The error as the JSON door writes it: `{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": …,
    /// "details": […]}}`, the details by google.protobuf.Any's mapping. Source: google.aip.dev/193.
    package func json(httpStatus: Int) -> [UInt8] {
        var printing = JSONPrinting(contracts: ContractRegistry.schema)
        printing.writer.raw("{\"error\":{\"code\":\(httpStatus),\"status\":")
        printing.writer.string(code.name)
        printing.writer.raw(",\"message\":")
        printing.writer.string(message)
        printing.writer.raw(",\"details\":")
        let start = printing
        if (try? printing.details(of: details)) == nil {
            printing = start
            printing.writer.raw("[]")
        }
        printing.writer.raw("}}")
        return printing.writer.bytes
    }

    /// When the caller may try again, in whole seconds and at least one; nil when the error does not say.
    package var retryAfterSeconds: Int? {
        guard let delay = detail(GoogleRPC.RetryInfo.self)?.retryDelay else { return nil }
        return max(1, Int(delay.seconds) + (delay.nanos > 0 ? 1 : 0))
    }
}

extension JSONPrinting {
    /// The details of a serialized google.rpc.Status, as an array.
    fileprivate mutating func details(of status: [UInt8]) throws(Unreadable) {
        guard let schema = contracts.messages[GoogleRPC.Status.fullName], let place = schema.place(named: "details") else { throw Unreadable() }
        let parts = try MessageParts(status[...], schema).all.filter { $0.place == place }
        try items(parts[...], schema.fields[place], 0)
    }
}
