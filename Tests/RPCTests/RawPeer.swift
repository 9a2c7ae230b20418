import HTTP2
import NIOCore
import NIOPosix

/// Speaks HTTP/2 over a socket and says exactly what a test tells it to, right or wrong.
final class RawPeer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: HTTP2Session
    private let react: @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void
    private let begin: @Sendable (inout HTTP2Session) -> Void

    init(
        role: HTTP2Role,
        settings: HTTP2Settings = HTTP2Settings(),
        begin: @escaping @Sendable (inout HTTP2Session) -> Void = { _ in },
        react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void
    ) throws {
        session = try HTTP2Session(role: role, settings: settings)
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
            for event in batch.events { react(&session, event, batch) }
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
    ) async throws -> Heard {
        let (events, continuation) = AsyncStream.makeStream(of: (HTTP2Event, [HTTP2Header]).self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = try RawPeer(role: .client) { session in
                        guard let stream = try? session.sendRequest(headers, endStream: body == nil) else { return }
                        if let body { session.send(body, on: stream) }
                        if endsBody { session.finish(stream) }
                    } react: { _, event, batch in
                        if case .headers(_, let fields, _, _) = event {
                            continuation.yield((event, batch.headers(fields)))
                        } else {
                            continuation.yield((event, []))
                        }
                        if case .streamClosed = event { continuation.finish() }
                    }
                    try channel.pipeline.syncOperations.addHandler(peer)
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        channel.closeFuture.whenComplete { _ in continuation.finish() }
        let all = await events.reduce(into: Heard()) { heard, next in
            heard.events.append(next.0)
            heard.headers += next.1
        }
        try await channel.close()
        return all
    }

    /// Sends one request to a server, with room for any answer, and reads nothing of what comes back until `body` has returned.
    static func askAndReadNothing<Result>(
        port: Int, _ headers: [HTTP2Header], body request: [UInt8], _ body: () async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_rcvbuf), value: 16 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    var settings = HTTP2Settings()
                    settings.streamWindowBytes = .max
                    settings.connectionWindowBytes = .max
                    let peer = try RawPeer(role: .client, settings: settings) { session in
                        guard let stream = try? session.sendRequest(headers, endStream: false) else { return }
                        session.send(request, on: stream)
                        session.finish(stream)
                    } react: { _, _, _ in
                    }
                    try channel.pipeline.syncOperations.addHandler(peer)
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        // The server may have closed it by now.
        try? await channel.close()
        return try outcome.get()
    }

    /// Runs a server that reacts as told, for the time of `body`.
    static func serve<Result>(
        settings: HTTP2Settings = HTTP2Settings(),
        begin: @escaping @Sendable (inout HTTP2Session) -> Void = { _ in },
        _ react: @escaping @Sendable (inout HTTP2Session, HTTP2Event, HTTP2Batch) -> Void,
        _ body: (_ port: Int) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawPeer(role: .server, settings: settings, begin: begin, react: react))
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

/// What a server answered: its events, and the header fields of all its blocks.
struct Heard {
    var events: [HTTP2Event] = []
    var headers: [HTTP2Header] = []

    /// The value of the last header field with the name.
    func header(_ name: String) -> String? { headers.last { $0.name == name }?.value }
}
