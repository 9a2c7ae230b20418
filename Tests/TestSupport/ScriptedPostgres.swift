internal import NIOCore
internal import NIOPosix

/// Lets a client in as a PostgreSQL server does, answers the first thing that it asks then with given bytes, and ends the connection: what a
/// server says whose process dies in the middle of an answer.
package final class ScriptedPostgres: Sendable {
    package let port: Int
    private let listener: any Channel

    package init(answering answer: [UInt8]) async throws {
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Script(answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    package func close() async throws { try await listener.close() }

    /// An ErrorResponse (PostgreSQL's manual, 55.7) of fields that begin with their letters.
    package static func error(_ fields: [String]) -> [UInt8] {
        var body: [UInt8] = []
        for field in fields {
            body += field.utf8
            body.append(0)
        }
        body.append(0)
        var message = [UInt8(ascii: "E")]
        for shift in [24, 16, 8, 0] { message.append(UInt8(truncatingIfNeeded: (body.count + 4) >> shift)) }
        return message + body
    }

    private final class Script: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        /// AuthenticationOk, BackendKeyData and ReadyForQuery.
        private static let welcome: [UInt8] = [
            0x52, 0, 0, 0, 8, 0, 0, 0, 0,
            0x4B, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1,
            0x5A, 0, 0, 0, 5, 0x49,
        ]

        private let answer: [UInt8]
        private var isIn = false

        init(_ answer: [UInt8]) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            guard isIn else {
                isIn = true
                channel.writeAndFlush(ByteBuffer(bytes: Script.welcome), promise: nil)
                return
            }
            channel.writeAndFlush(ByteBuffer(bytes: answer)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
