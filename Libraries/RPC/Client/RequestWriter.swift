/// Sends the messages of a call that has several.
package struct RequestWriter<Request: Message>: Sendable {
    private let call: OutgoingCall
    private let limit: Int

    init(_ call: OutgoingCall, limit: Int) {
        self.call = call
        self.limit = limit
    }

    /// Sends a message. It returns at once while little is waiting to be sent on the stream, and otherwise suspends
    /// until the server has taken some of it. Throws when the call is over or the message is larger than the limit.
    ///
    /// Of a call with `CallOptions.encoding`, `compressed` can except this message with `false`; of others none is compressed.
    package func write(_ request: Request, compressed: Bool? = nil) async throws(RPCError) {
        try await call.write(request, limit: limit, compressed: compressed)
    }

    /// Says that no more messages come. What was written is still sent.
    package func finish() {
        call.finishSending()
    }
}
