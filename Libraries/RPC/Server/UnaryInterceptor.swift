/// Stands around handlers like any interceptor; around those of unary calls it also sees what is asked and answered, and may answer in
/// their place.
package protocol UnaryInterceptor: ServerInterceptor {
    /// Calls `next` once, or answers through `exchange` without it; throws to end the call with that error.
    func intercept(
        _ context: RPCContext, _ exchange: UnaryExchange, next: @Sendable (RPCContext) async throws -> Void
    ) async throws
}

/// The two messages of a unary call, as bytes.
package struct UnaryExchange: Sendable {
    let call: any HandledCall
    let rewrite: @Sendable (any HandledCall) throws -> [UInt8]

    /// The request, read and written anew: requests that say the same have the same bytes, in whatever order their senders wrote the
    /// fields and the entries of maps. Throws as reading the request does.
    package func request() async throws -> [UInt8] {
        if call.requestIsCompressed { try await call.unpackRequest() }
        return try rewrite(call)
    }

    /// The answer; `nil` before there is one. Copied at each call.
    package var answer: [UInt8]? { call.singleResponse }

    /// Answers with the bytes of a message, whatever the handler has answered.
    package func answer(with bytes: [UInt8]) throws(RPCError) { try call.setSingleResponse(RawMessage(bytes)) }
}
