/// A message with what its frame said of it, for those who care how it travelled.
package struct FramedMessage<Content: Message>: Sendable {
    package let message: Content
    package let wasCompressed: Bool
}

/// The messages of a stream with what their frames said of them. It takes them from the stream that it was made of.
package struct FramedMessages<Content: Message>: AsyncSequence, Sendable {
    package typealias Element = FramedMessage<Content>
    package typealias Failure = RPCError

    private let messages: InboundMessages

    init(_ messages: InboundMessages) {
        self.messages = messages
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(messages: messages)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let messages: InboundMessages

        package mutating func next() async throws(RPCError) -> FramedMessage<Content>? {
            try await messages.nextFramed(as: Content.self)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> FramedMessage<Content>? {
            try await messages.nextFramed(as: Content.self)
        }
    }
}
