import NIOCore
import NIOPosix

/// Says its first words and then nothing, whatever it is asked, like a host that has vanished.
final class SilentPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// An empty SETTINGS frame.
    static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    static let clientPreface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings

    private let firstWords: [UInt8]

    init(_ firstWords: [UInt8]) {
        self.firstWords = firstWords
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: firstWords)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    /// Runs a server that answers nobody, for the time of `body`.
    static func serve<Result>(
        saying firstWords: [UInt8] = settings, _ body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(SilentPeer(firstWords)) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(listener.localAddress?.port ?? 0)) } catch { outcome = .failure(error) }
        try await listener.close()
        return try outcome.get()
    }

    /// Connects to a server and returns when the server has closed the connection.
    static func connect(port: Int, saying firstWords: [UInt8]) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(SilentPeer(firstWords)) }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        try await channel.closeFuture.get()
    }
}
