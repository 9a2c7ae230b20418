/// Why a call did not succeed. A handler throws it to choose the answer; a client throws what it was answered.
package struct RPCError: Error, Sendable {
    /// Never `.ok`.
    package var code: StatusCode
    /// A sentence for the caller. It crosses the wire, so it names no secret and nobody's data.
    package var message: String
    /// A serialized `google.rpc.Status`, sent as `grpc-status-details-bin`. Empty when there are no details.
    package var details: [UInt8]
    /// Metadata that travels behind the status. Where it cannot be sent the call ends with INTERNAL, as with any other metadata.
    package var trailers: Metadata
    /// What happened underneath, for the log. It is never sent.
    package var cause: (any Error)?

    package init(
        _ code: StatusCode,
        _ message: String,
        details: [UInt8] = [],
        trailers: Metadata = [:],
        cause: (any Error)? = nil
    ) {
        precondition(code != .ok, "a call that ended with OK is not an error")
        self.code = code
        self.message = message
        self.details = details
        self.trailers = trailers
        self.cause = cause
    }
}

extension RPCError {
    /// A request that could not be read. gRPC's list of status codes has INTERNAL for bytes that are no message.
    init(unreadableRequest error: MalformedMessage) {
        self.init(unreadable: error, error.isWellFormed ? .invalidArgument : .internalError)
    }

    /// A response that could not be read, which is never the caller's mistake.
    init(unreadableResponse error: MalformedMessage) { self.init(unreadable: error, .internalError) }

    private init(unreadable error: MalformedMessage, _ code: StatusCode) {
        self.init(code, "The message \(error.messageName) could not be read: \(error.reason)", cause: error)
    }
}

extension RPCError: CustomStringConvertible {
    package var description: String { "\(code.name): \(message)" }
}

extension RPCError {
    /// What a caller is told about an error that a handler or an interceptor threw. What is not an `RPCError` stays in
    /// the log: a sentence written for an operator may name a table, a host or a person.
    package init(caught error: any Error) {
        switch error {
        case let error as RPCError:
            self = error
        case is CancellationError:
            self.init(.cancelled, "The call was cancelled.", cause: error)
        case let error as MalformedMessage:
            self.init(.internalError, "The message \(error.messageName) could not be written.", cause: error)
        default:
            self.init(.unknown, "The call failed for a reason that is recorded on the server.", cause: error)
        }
    }
}
