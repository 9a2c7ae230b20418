import NIOCore
import NIOPosix

/// A server that answers the handshake as Redis does and everything else with bytes that a test has chosen.
///
/// What the client sends is not parsed: one answer is given for each chunk that holds a command of the test's.
final class FakeServer: Sendable {
    let port: Int
    private let channel: any Channel

    /// Listens until the body ends. `answer` gets what the client sent after the handshake; nil closes the connection.
    static func with<Value>(
        greeting: String = "+PONG\r\n+OK\r\n", answer: @escaping @Sendable (_ sent: String) -> String?, _ body: (FakeServer) async throws -> Value
    ) async throws -> Value {
        let server = try await FakeServer(greeting: greeting, answer: answer)
        do {
            let value = try await body(server)
            try await server.channel.close()
            return value
        } catch {
            try await server.channel.close()
            throw error
        }
    }

    private init(greeting: String, answer: @escaping @Sendable (String) -> String?) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(greeting: greeting, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let greeting: String
        private let answer: (String) -> String?

        init(greeting: String, answer: @escaping (String) -> String?) {
            self.greeting = greeting
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let sent = String(buffer: unwrapInboundIn(data))
            // The role is cache, so the handshake is PING and CLIENT SETNAME in one write.
            guard let reply = sent.contains("SETNAME") ? greeting : answer(sent) else {
                context.close(promise: nil)
                return
            }
            context.writeAndFlush(NIOAny(ByteBuffer(string: reply)), promise: nil)
        }
    }
}
