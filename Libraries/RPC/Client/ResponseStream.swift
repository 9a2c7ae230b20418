/// The messages of an answer that has several, in order. Reading one lets the server send more. It is read by one task
/// at a time, and after the last message it throws unless the call ended with OK.
package struct ResponseStream<Response: Message>: AsyncSequence, Sendable {
    package typealias Element = Response
    package typealias Failure = RPCError

    private let call: OutgoingCall

    init(_ call: OutgoingCall) {
        self.call = call
    }

    /// What the server sent ahead of its first message; empty before the first message has been read.
    package var metadata: Metadata { call.context.responseMetadata.contents }

    /// What the server sent behind its status; empty before the stream has been read to its end.
    package var trailers: Metadata { call.context.trailingMetadata.contents }

    package func makeAsyncIterator() -> Iterator {
        Iterator(call)
    }

    /// The same messages, with whether each was compressed.
    package var framed: FramedMessages<Response> { FramedMessages(found: { () async throws(RPCError) in try await call.responses() }) }

    package struct Iterator: AsyncIteratorProtocol {
        private let call: OutgoingCall
        private var messages: InboundMessages?

        fileprivate init(_ call: OutgoingCall) {
            self.call = call
            if case .once(let call) = call { messages = call.responses }
        }

        /// The next message, or `nil` when the call has ended with OK.
        package mutating func next() async throws(RPCError) -> Response? {
            if let messages { return try await messages.next(as: Response.self) }
            let messages = try await call.responses()
            self.messages = messages
            return try await messages.next(as: Response.self)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> Response? {
            try await next()
        }
    }
}
