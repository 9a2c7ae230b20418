/// Sends the messages of an answer that has several.
package struct ResponseWriter<Response: Message>: Sendable {
    private let call: any HandledCall

    init(_ call: any HandledCall) {
        self.call = call
    }

    /// Sends a message. It returns at once while little is waiting to be sent on the stream, and otherwise suspends
    /// until the caller has taken some of it. Throws when the call is over or the message is larger than the limit.
    ///
    /// `compressed` chooses for this message: `nil` does as `RPCContext.compressResponse` said. It can be `true` from the
    /// first message on, or when the whole answer is compressed; otherwise, and for a caller that reads no gzip, the message
    /// goes as it is.
    package func write(_ response: Response, compressed: Bool? = nil) async throws(RPCError) {
        try await call.write(response, compressed: compressed)
    }

    /// Sends the response metadata before the first message is there.
    package func sendMetadata() async throws(RPCError) {
        try await call.sendMetadata()
    }
}
