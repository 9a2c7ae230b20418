import NIOCore
import NIOPosix

/// A server that waits for the first request and then says its bytes, whatever they are.
final class HostilePeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let words: [UInt8]
    private var heard: [UInt8] = []
    private var hasSpoken = false

    init(_ words: [UInt8]) {
        self.words = words
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: SilentPeer.settings)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard += unwrapInboundIn(data).readableBytesView
        guard !hasSpoken, hasHeardRequest else { return }
        hasSpoken = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: words)), promise: nil)
    }

    /// Whether there is a HEADERS frame behind the preface.
    private var hasHeardRequest: Bool {
        var rest = heard.dropFirst(24)
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            if header[3] == 1 { return true }
            rest = rest.dropFirst(9 + Int(header[0]) << 16 + Int(header[1]) << 8 + Int(header[2]))
        }
        return false
    }

    /// Runs a server for each connection that says the bytes, for the time of `body`.
    static func serve<Result>(_ words: [UInt8], _ body: (_ port: Int) async throws -> Result) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(HostilePeer(words)) }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(listener.localAddress?.port ?? 0)) } catch { outcome = .failure(error) }
        try await listener.close()
        return try outcome.get()
    }

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16), UInt8(count >> 8 & 0xff), UInt8(count & 0xff), type, flags, 0, 0, 0, stream] + payload
    }

    /// `:status 200` and `content-type: application/grpc`, as HTTP/2's own tables have them.
    static let head: [UInt8] = [0x88, 0x0f, 0x10, 16] + Array("application/grpc".utf8)
    static let earlyHints: [UInt8] = [0x08, 3] + Array("103".utf8)
    static let ok: [UInt8] = [0x00, 11] + Array("grpc-status".utf8) + [1] + Array("0".utf8)

    static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        Array(repeatElement(bytes, count: count).joined())
    }
}
