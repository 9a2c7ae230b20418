/// Sends the messages of an answer that has several.
package struct ResponseWriter<Response: Message>: Sendable {
    private let call: ServerCall

    init(_ call: ServerCall) {
        self.call = call
    }

    /// Sends a message. It returns at once while little is waiting to be sent on the stream, and otherwise suspends
    /// until the caller has taken some of it. Throws when the call is over or the message is larger than the limit.
    package func write(_ response: Response) async throws(RPCError) {
        try await call.write(response)
    }

    /// Sends the response metadata before the first message is there.
    package func sendMetadata() async throws(RPCError) {
        try await call.sendMetadata()
    }
}
