package import Logging
package import NIOCore

/// Has a listener that can take no connection, as when the process has no descriptor left, try again after a pause. The system goes on
/// saying that somebody waits, so an event loop that asked again at once would do little else.
package final class AcceptPause: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    static let pause: TimeAmount = .milliseconds(500)

    private let logger: Logger
    private var isPausing = false

    package init(logger: Logger) {
        self.logger = logger
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError, !isPausing else { return context.fireErrorCaught(error) }
        isPausing = true
        logger.warning("no connection could be taken", metadata: ["reason": "\(error)"])
        let channel = context.channel
        setAutoRead(false, of: channel)
        context.eventLoop.assumeIsolated().scheduleTask(in: AcceptPause.pause) {
            self.isPausing = false
            self.setAutoRead(true, of: channel)
        }
    }

    private func setAutoRead(_ reads: Bool, of channel: any Channel) {
        // It fails for a listener that has been closed, which takes nothing anyhow.
        _ = try? channel.syncOptions?.setOption(.autoRead, value: reads)
    }
}
