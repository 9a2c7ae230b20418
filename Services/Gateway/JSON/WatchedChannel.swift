import HummingbirdCore
import Logging
import NIOCore

/// Tells what answers the requests of a connection whether their client is still there (`ClientPresence.current`).
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

    init(_ base: Base) { self.base = base }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let client = ClientPresence()
        return channel.eventLoop.makeCompletedFuture {
            // Before TLS and HTTP, which may keep to themselves how a connection ended.
            try channel.pipeline.syncOperations.addHandler(client)
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.map { Value(base: $0, client: client) }
    }

    func handle(value: Value, logger: Logger) async {
        await ClientPresence.$current.withValue(value.client) { await base.handle(value: value.base, logger: logger) }
    }
}
