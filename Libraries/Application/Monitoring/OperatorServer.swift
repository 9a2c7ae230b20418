internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import RPC
internal import Telemetry

/// Where an operator's tools read the program's metrics and its health.
package struct OperatorEndpoint: Sendable, Hashable {
    package let host: String
    package let port: Int
}

/// Answers `GET /metrics`, in the text format that its reader accepts, and `GET /healthz` on the operator's port, in plain HTTP, one request a connection. It
/// asks nobody who he is, so it belongs on loopback or a network of the operators'; nothing in it is about a person. How many clients the program's
/// other ports have is nothing to it.
struct OperatorServer: Sendable {
    let endpoint: OperatorEndpoint
    let health: HealthReporter
    let logger: Logger
    let metrics: @Sendable (PrometheusText.Format) -> String

    /// Connections at a time; more are closed at once.
    static let maximumConnections = 16
    /// How long a connection may take from its beginning to its end.
    static let timeLimit: TimeAmount = .seconds(10)

    /// Serves until it is cancelled. Throws if the port cannot be had.
    func run(onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionLimit(OpenConnections(most: OperatorServer.maximumConnections), logger: logger))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(OperatorHandler(self))
                }
            }
            .bind(host: endpoint.host, port: endpoint.port).get()
        let port = channel.localAddress?.port ?? endpoint.port
        logger.notice("operator port", metadata: ["host": "\(endpoint.host)", "port": "\(port)"])
        onListening(port)
        try await withTaskCancellationHandler { try await channel.closeFuture.get() } onCancel: { channel.close(promise: nil) }
    }
}

/// One connection of an operator's tool.
private final class OperatorHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: OperatorServer
    private var head: HTTPRequestHead?
    private var limit: Scheduled<Void>?

    init(_ server: OperatorServer) {
        self.server = server
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        limit = context.eventLoop.scheduleTask(in: OperatorServer.timeLimit) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        limit?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // What is sent with a request is of no interest.
        case .body: break
        case .end: if let head { answer(head, context) }
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = request.uri.prefix { $0 != "?" }
        let format = PrometheusText.Format(accepting: request.headers[canonicalForm: "accept"])
        let (status, text): (HTTPResponseStatus, String) = switch (request.method, path) {
        case (.GET, "/metrics"): (.ok, server.metrics(format))
        case (.GET, "/healthz"): health
        case (_, "/metrics"), (_, "/healthz"): (.methodNotAllowed, "Only GET is answered here.\n")
        default: (.notFound, "There are /metrics and /healthz here.\n")
        }
        let type = status == .ok && path == "/metrics" ? format.contentType : "text/plain; charset=utf-8"
        let body = context.channel.allocator.buffer(string: text)
        let headers: HTTPHeaders = [
            "content-type": type, "content-length": "\(body.readableBytes)", "connection": "close", "cache-control": "no-store",
        ]
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }

    private var health: (HTTPResponseStatus, String) {
        switch server.health.status {
        case .serving: (.ok, "SERVING\n")
        case .notServing(let reason): (.serviceUnavailable, "NOT_SERVING: \(reason)\n")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
