package import Logging
package import NIOCore
internal import Synchronization

/// How many connections a server has, and how many it has closed because it had as many as it may.
package final class OpenConnections: Sendable {
    package let most: Int
    private let openCount = Atomic(0)
    private let refusedCount = Atomic(0)

    package init(most: Int) {
        self.most = most
    }

    package var open: Int { openCount.load(ordering: .relaxed) }
    package var refused: Int { refusedCount.load(ordering: .relaxed) }

    /// Counts one that has come. `false`, and it is not counted, where there are as many as there may be.
    func begin() -> Bool {
        if openCount.wrappingAdd(1, ordering: .relaxed).newValue <= most { return true }
        end()
        refusedCount.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    func end() {
        openCount.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// Closes a connection that comes when there are as many as there may be, before it has cost more than a descriptor. Its client hears at once
/// that it has to go elsewhere, or come again; one that was left waiting would not.
package final class ConnectionLimit: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    private let counts: OpenConnections
    private let logger: Logger
    /// When it was last said: a flood of connections is a line a minute.
    private var said: NIODeadline?

    package init(_ counts: OpenConnections, logger: Logger) {
        self.counts = counts
        self.logger = logger
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        guard counts.begin() else {
            connection.close(promise: nil)
            return tell()
        }
        connection.closeFuture.whenComplete { [counts] _ in counts.end() }
        context.fireChannelRead(data)
    }

    private func tell() {
        let now = NIODeadline.now()
        if let said, now - said < .minutes(1) { return }
        said = now
        logger.warning("connections are closed: there are as many as there may be", metadata: ["most": "\(counts.most)"])
    }
}
