package import RPC
internal import Time

extension RPCError {
    /// An error with messages that say more of it, as google.rpc.Status carries them in `grpc-status-details-bin`.
    package init(
        _ code: StatusCode, _ message: String, details: [any ContractMessage], cause: (any Error)? = nil
    ) {
        var status = GoogleRPC.Status(code: Int32(code.rawValue), message: message)
        for detail in details {
            // A detail that cannot be written (a string of it holds U+0000) is left out; the sentence still says it.
            guard let bytes = try? detail.serialized() else { continue }
            status.details.append(.init(typeUrl: "type.googleapis.com/\(type(of: detail).fullName)", value: bytes))
        }
        self.init(code, message, details: (try? status.serialized()) ?? [], cause: cause)
    }

    /// With what stands around them less than `RPC` sends as details.
    private static let maxViolationBytes = 4 << 10

    /// INVALID_ARGUMENT, with google.rpc.BadRequest. A field is named by its path in the contract, as in
    /// `observations[3].quantity.unit`; a description is a sentence that never repeats the value. Of more violations than an
    /// answer's metadata has room for, the first are told.
    package static func invalid(_ violations: [(field: String, description: String)]) -> RPCError {
        var room = maxViolationBytes
        let told = violations.prefix { violation in
            // Eight bytes are what protobuf adds, about.
            room -= violation.field.utf8.count + violation.description.utf8.count + 8
            return room >= 0
        }
        let request = GoogleRPC.BadRequest(
            fieldViolations: told.map { .init(field: $0.field, description_p: $0.description) })
        let sentence =
            violations.count == 1
            ? "\(violations[0].field): \(violations[0].description)"
            : "\(violations.count) fields of the request are not valid."
        return RPCError(.invalidArgument, sentence, details: [request])
    }

    /// An error that goes away by itself, with google.rpc.RetryInfo: the caller may try again after the delay.
    package static func retry(_ code: StatusCode, _ message: String, after delay: Duration) -> RPCError {
        let (seconds, attoseconds) = delay.components
        let wait = GoogleProtobuf.Duration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
        var error = RPCError(code, message, details: [GoogleRPC.RetryInfo(retryDelay: wait)])
        // The same for clients that retry by themselves (gRFC A6), who must not come too early for the part of a millisecond.
        error.trailers.add(Pushback.name, value: String(Int32(clamping: delay.millisecondsRoundedUp)))
        return error
    }

    /// A budget that is used up, with google.rpc.QuotaFailure: whose budget it is, in a word, and a sentence. With a delay, also
    /// google.rpc.RetryInfo.
    package static func quota(_ subject: String, _ message: String, retryAfter delay: Duration? = nil) -> RPCError {
        let failure = GoogleRPC.QuotaFailure(violations: [.init(subject: subject, description_p: message)])
        guard let delay else { return RPCError(.resourceExhausted, message, details: [failure]) }
        return retry(.resourceExhausted, message, after: delay).adding(failure)
    }

    /// The error with one more detail.
    package func adding(_ detail: some ContractMessage) -> RPCError {
        var status = statusDetails ?? GoogleRPC.Status(code: Int32(code.rawValue), message: message)
        var error = self
        // A detail that cannot be written is left out; the sentence still says it.
        guard let bytes = try? detail.serialized() else { return self }
        status.details.append(.init(typeUrl: "type.googleapis.com/\(type(of: detail).fullName)", value: bytes))
        guard let whole = try? status.serialized() else { return self }
        error.details = whole
        return error
    }

    /// The details, read; nil when there are none or they cannot be read.
    package var statusDetails: GoogleRPC.Status? {
        details.isEmpty ? nil : try? GoogleRPC.Status(decoding: details)
    }

    /// The first detail of the type, if there is one that can be read.
    package func detail<Detail: ContractMessage>(_ type: Detail.Type) -> Detail? {
        for any in statusDetails?.details ?? [] where any.typeUrl.hasSuffix("/\(type.fullName)") {
            if let detail = try? Detail(decoding: any.value) { return detail }
        }
        return nil
    }
}
