import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A connection to a JSON door on which a test sends what no client library would, and hears what comes back as it came.
struct RawHTTP: Sendable {
    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let state = Mutex((text: "", isClosed: false))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            state.withLock { $0.text += text }
        }

        func channelInactive(context: ChannelHandlerContext) {
            state.withLock { $0.isClosed = true }
            context.fireChannelInactive()
        }
    }

    private let channel: any Channel
    private let ear: Ear

    /// Waits until the door is open.
    ///
    /// - Parameters:
    ///   - goesOnSending: whether it can still send when the door has closed its side.
    ///   - reads: whether it takes what comes.
    static func connect(to port: Int, goesOnSending: Bool = false, reads: Bool = true) async throws -> RawHTTP {
        try await until { await isOpen(port) }
        return try await RawHTTP(port, goesOnSending: goesOnSending, reads: reads)
    }

    static func isOpen(_ port: Int) async -> Bool {
        guard let client = try? await RawHTTP(port) else { return false }  // nobody listens
        try? await client.close()  // the other side may have been faster
        return true
    }

    private init(_ port: Int, goesOnSending: Bool = false, reads: Bool = true) async throws {
        let ear = Ear()
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: goesOnSending)
            .channelOption(ChannelOptions.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ear) }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        self.ear = ear
    }

    /// All that has come so far.
    var heard: String { ear.state.withLock { $0.text } }
    var isClosed: Bool { ear.state.withLock { $0.isClosed } }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)).get() }

    /// Sends nothing more, and goes on to listen.
    func closeSending() async throws { try await channel.close(mode: .output) }

    func close() async throws { try await channel.close() }
}
