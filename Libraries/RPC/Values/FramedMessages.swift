/// The messages of a stream with what their frames said of them. It takes them from the stream that it was made of.
package struct FramedMessages<Content: Message>: AsyncSequence, Sendable {
    package typealias Element = FramedMessage<Content>
    package typealias Failure = RPCError

    private let find: @Sendable () async throws(RPCError) -> InboundMessages

    init(_ messages: InboundMessages) {
        find = { () throws(RPCError) in messages }
    }

    /// Messages of which it is not known yet where they will arrive.
    init(found find: @escaping @Sendable () async throws(RPCError) -> InboundMessages) {
        self.find = find
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(find: find)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let find: @Sendable () async throws(RPCError) -> InboundMessages
        private var messages: InboundMessages?

        fileprivate init(find: @escaping @Sendable () async throws(RPCError) -> InboundMessages) {
            self.find = find
        }

        package mutating func next() async throws(RPCError) -> FramedMessage<Content>? {
            if let messages { return try await messages.nextFramed(as: Content.self) }
            let found = try await find()
            messages = found
            return try await found.nextFramed(as: Content.self)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(RPCError) -> FramedMessage<Content>? {
            try await next()
        }
    }
}
