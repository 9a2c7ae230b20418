import HTTP2
import NIOCore
import NIOPosix

/// Speaks HTTP/2 over a socket and says exactly what a test tells it to, right or wrong.
final class RawPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: HTTP2Session
    private let react: @Sendable (inout HTTP2Session, HTTP2Event, [UInt8]) -> Void
    private let begin: @Sendable (inout HTTP2Session) -> Void

    init(
        role: HTTP2Role,
        begin: @escaping @Sendable (inout HTTP2Session) -> Void = { _ in },
        react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, [UInt8]) -> Void
    ) throws {
        session = try HTTP2Session(role: role)
        self.begin = begin
        self.react = react
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(&session)
        send(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do { try session.receive(buffer.readableBytesSpan) } catch { context.close(promise: nil) }
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        var batch = HTTP2Batch()
        repeat {
            session.exchange(&batch)
            for event in batch.events { react(&session, event, batch.body) }
            var buffer = ByteBuffer()
            // What a test makes go wrong shows at its other end.
            while (try? session.nextOutput { buffer.writeBytes($0) }) != nil {}
            if buffer.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
        } while session.hasEvents
        if session.isFinished { context.close(promise: nil) }
    }

    /// Sends one request to a server and returns what came back until the stream was closed.
    static func ask(
        port: Int,
        _ headers: [HTTP2Header],
        body: [UInt8]? = nil,
        endsBody: Bool = true
    ) async throws -> [HTTP2Event] {
        let (events, continuation) = AsyncStream.makeStream(of: HTTP2Event.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = try RawPeer(role: .client) { session in
                        guard let stream = try? session.sendRequest(headers, endStream: body == nil) else { return }
                        if let body { session.send(body, on: stream) }
                        if endsBody { session.finish(stream) }
                    } react: { _, event, _ in
                        continuation.yield(event)
                        if case .streamClosed = event { continuation.finish() }
                    }
                    try channel.pipeline.syncOperations.addHandler(peer)
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        channel.closeFuture.whenComplete { _ in continuation.finish() }
        let all = await events.reduce(into: []) { $0.append($1) }
        try await channel.close()
        return all
    }

    /// Runs a server that reacts as told, for the time of `body`.
    static func serve<Result>(
        begin: @escaping @Sendable (inout HTTP2Session) -> Void = { _ in },
        _ react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, [UInt8]) -> Void,
        _ body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawPeer(role: .server, begin: begin, react: react))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(listener.localAddress?.port ?? 0)) } catch { outcome = .failure(error) }
        try await listener.close()
        return try outcome.get()
    }
}

extension [HTTP2Header] {
    static func call(_ method: String, _ more: [String: String] = [:]) -> [HTTP2Header] {
        var headers = [
            HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "http"), HTTP2Header(":path", "/test.Notes/\(method)"),
            HTTP2Header(":authority", "test"), HTTP2Header("content-type", "application/grpc"), HTTP2Header("te", "trailers"),
        ]
        for (name, value) in more {
            headers.removeAll { $0.name == name }
            headers.append(HTTP2Header(name, value))
        }
        return headers
    }
}

extension [HTTP2Event] {
    /// The value of the last header field with the name.
    func header(_ name: String) -> String? {
        var value: String?
        for case .headers(_, let headers, _, _) in self {
            for header in headers where header.name == name { value = header.value }
        }
        return value
    }
}
