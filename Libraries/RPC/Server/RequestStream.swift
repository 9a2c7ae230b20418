/// The messages of a caller that sends several, in order. Reading one lets the caller send more: what is not read stays
/// unsent once HTTP/2's window is full. It is read by one task at a time.
package struct RequestStream<Request: Message>: AsyncSequence, Sendable {
    package typealias Element = Request
    package typealias Failure = RPCError

    private let messages: InboundMessages

    init(_ messages: InboundMessages) {
        self.messages = messages
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(messages: messages)
    }

    /// The same messages, with whether each was compressed.
    package var framed: FramedMessages<Request> { FramedMessages(messages) }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let messages: InboundMessages

        /// The next message, or `nil` when the caller has sent its last. Throws when the call ended early or a message
        /// could not be read.
        package mutating func next() async throws(RPCError) -> Request? {
            try await messages.next(as: Request.self)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> Request? {
            try await messages.next(as: Request.self)
        }
    }
}
