/// Sends the messages of a call that has several.
package struct RequestWriter<Request: Message>: Sendable {
    private let call: ClientCall
    private let limit: Int

    init(_ call: ClientCall, limit: Int) {
        self.call = call
        self.limit = limit
    }

    /// Sends a message. It returns at once while little is waiting to be sent on the stream, and otherwise suspends
    /// until the server has taken some of it. Throws when the call is over or the message is larger than the limit.
    package func write(_ request: Request) async throws(RPCError) {
        try await call.write(request, limit: limit)
    }

    /// Says that no more messages come. What was written is still sent.
    package func finish() {
        call.finishSendingFromAnywhere()
    }
}
