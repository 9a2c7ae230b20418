import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Tells what answers the requests of a connection whether their client is still there (`ClientPresence.current`), and the client whether the connection is
/// kept (`ConnectionPersistence`). It is not if the client does not read what it is answered (`SendTimeout`).
///
/// Hummingbird's own `consumeWithCancellationOnInboundClose` reads the connection ahead to find out: the connection could not be kept
/// for the next request, and a request that was pipelined behind would be lost.
struct WatchedChannel<Base: ServerChildChannel>: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        fileprivate let base: Base.Value
        fileprivate let client: ClientPresence

        var channel: any Channel { base.channel }
    }

    private let base: Base
    private let sendTimeout: TimeAmount

    init(_ base: Base, sendTimeout: TimeAmount) {
        self.base = base
        self.sendTimeout = sendTimeout
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let client = ClientPresence()
        return channel.eventLoop.makeCompletedFuture {
            // Before TLS and HTTP, which may keep to themselves how a connection ended.
            try channel.pipeline.syncOperations.addHandler(client)
            try channel.pipeline.syncOperations.addHandler(SendTimeout(sendTimeout))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionPersistence(), position: .after(decoder))
            return Value(base: value, client: client)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await ClientPresence.$current.withValue(value.client) { await base.handle(value: value.base, logger: logger) }
    }
}
