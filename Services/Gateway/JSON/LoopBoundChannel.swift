import HummingbirdCore
import Logging
import NIOCore
import RPC

/// Answers the requests of a connection on its event loop, where its bytes are read and written and where the calls that it makes of services and of
/// Redis are sent and answered. Otherwise a request would change threads at each of these.
struct LoopBoundChannel<Base: ServerChildChannel>: ServerChildChannel {
    private let base: Base

    init(_ base: Base) { self.base = base }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> { base.setup(channel: channel, logger: logger) }

    func handle(value: Base.Value, logger: Logger) async {
        await withTaskExecutorPreference(value.channel.eventLoop.callExecutor) { await base.handle(value: value, logger: logger) }
    }
}
