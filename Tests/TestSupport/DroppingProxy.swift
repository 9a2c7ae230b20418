internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Stands between a client and a server of this machine, and can lose everything that either sends, as a network does that
/// has been cut: connections stay, and new ones are taken and say nothing.
package final class DroppingProxy: Sendable {
    package let port: Int
    private let listener: any Channel
    private let isDropping: Gate

    private final class Gate: Sendable {
        private let isShut = Atomic(false)
        var isOpen: Bool { !isShut.load(ordering: .relaxed) }
        func set(open: Bool) { isShut.store(!open, ordering: .relaxed) }
    }

    package init(to server: Int) async throws {
        let gate = Gate()
        isDropping = gate
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { inbound in
                let loop = inbound.eventLoop
                return ClientBootstrap(group: loop).connect(host: "127.0.0.1", port: server).flatMap { outbound in
                    loop.makeCompletedFuture {
                        try inbound.pipeline.syncOperations.addHandler(Relay(to: outbound, gate))
                        try outbound.pipeline.syncOperations.addHandler(Relay(to: inbound, gate))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    /// From now on nothing arrives.
    package func drop() { isDropping.set(open: false) }
    /// From now on everything arrives that new connections carry, and those that have lost nothing. No connection goes on behind what it has lost.
    package func restore() { isDropping.set(open: true) }
    package func close() async throws { try await listener.close() }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let gate: Gate
        private var hasLost = false

        init(to other: any Channel, _ gate: Gate) {
            self.other = other
            self.gate = gate
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            hasLost = hasLost || !gate.isOpen
            if !hasLost { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if gate.isOpen { other.close(promise: nil) }
        }
    }
}
