import NIOCore

/// Closes a connection whose client has had no room for more of its answers for too long, and has read next to nothing of them.
///
/// The next answer waits until the client has read nearly all that is under way, and Hummingbird's limit for silence does not run while a request waits.
/// Who pipelines requests and reads nothing would keep the connection, and two answers, for good.
final class SendTimeout: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Who takes less in that time keeps a connection by a byte now and then; a slow line takes a hundred times as much.
    static let least = 64 << 10

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount) { self.limit = limit }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stop()
        } else if timer == nil {
            watch(context)
        }
        context.fireChannelWritabilityChanged()
    }

    private func watch(_ context: ChannelHandlerContext) {
        let before = Self.waiting(in: context.channel)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
            let now = Self.waiting(in: context.channel)
            // More is only written behind what has been taken.
            if now > before || before - now >= Self.least { return watch(context) }
            // From here, so past TLS, which would first say goodbye to who does not listen.
            context.close(promise: nil)
        }
    }

    /// Bytes that have been written and are not sent.
    private static func waiting(in channel: any Channel) -> Int {
        (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
