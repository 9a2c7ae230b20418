import NIOCore

/// Closes a connection whose client has had no room for more of its answers for too long.
///
/// The next answer waits until the client has read nearly all that is under way, and Hummingbird's limit for silence does not run while a request waits.
/// Who pipelines requests and reads nothing would keep the connection, and two answers, for good.
final class SendTimeout: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount) { self.limit = limit }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stop()
        } else if timer == nil {
            // From here, so past TLS, which would first say goodbye to who does not listen.
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
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
