import Application
import Audit
import Contracts
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import RPC
import Time

/// The JSON door: HTTP/1.1 for browsers and apps, the same methods by the contracts' routes.
///
/// A request becomes the bytes of its message and goes the same way as a gRPC call, so every policy holds here too.
struct JSONFront: HTTPResponder {
    let routes: RouteTable
    let path: CallPath
    let health: HealthReporter
    let configuration: GatewayConfiguration
    let logger: Logger
    /// How long a client may be silent between its requests, and how long it may have no room for more of its answers.
    let patience: Duration

    /// Listens until the program is asked to stop.
    func run(onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }) async throws {
        let server = configuration.common.server
        let tls = try server.tls.map { try Self.tls(ServerCertificate($0, logger: logger)) }
        let patience = TimeAmount(patience)
        let application = Hummingbird.Application(
            responder: self,
            server: HTTPServerBuilder { responder in
                let http = HTTP1Channel(responder: responder, configuration: .init(idleTimeout: patience))
                guard let tls else { return LoopBoundChannel(WatchedChannel(http, sendTimeout: patience)) }
                return LoopBoundChannel(WatchedChannel(try TLSChannel(http, tlsConfiguration: tls), sendTimeout: patience))
            },
            configuration: .init(
                address: .hostname(server.host, port: configuration.jsonPort), serverName: "heartguard",
                // Those beyond wait until one has ended, one whose client neither asks nor reads after a minute.
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.common.maxConnections, logger: logger)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.jsonPort
                logger.notice("listening for JSON", metadata: ["host": "\(server.host)", "port": "\(port)"])
                onListening(port)
            },
            logger: logger)
        try await application.run()
    }

    func respond(to request: Request, context: JSONRequestContext) async throws -> Response {
        let whole = await response(to: request, from: context)
        // RFC 9110, section 9.3.2: HEAD is answered without content. What came anyway would be read as the connection's next answer.
        return request.method == .head ? whole.createHeadResponse() : whole
    }

    private func response(to request: Request, from caller: JSONRequestContext) async -> Response {
        switch (request.method, request.uri.path) {
        case (.get, "/.well-known/jwks.json"), (.head, "/.well-known/jwks.json"):
            return Self.json(Array(configuration.common.jwks.utf8), headers: [.cacheControl: "public, max-age=300"])
        case (.get, "/healthz"), (.head, "/healthz"):
            let isServing = health.status == .serving
            return Self.json(
                Array((isServing ? #"{"status":"SERVING"}"# : #"{"status":"NOT_SERVING"}"#).utf8),
                status: isServing ? .ok : .serviceUnavailable)
        default:
            guard let client = ClientPresence.current else { return await answer(request, from: caller) }
            return await client.whilePresent { await answer(request, from: caller) }
        }
    }

    private func answer(_ request: Request, from caller: JSONRequestContext) async -> Response {
        switch routes.find(method: request.method.rawValue, path: request.uri.path) {
        case .notFound:
            return Self.failure(RPCError(.notFound, "There is nothing at this path."))
        case .otherMethods(let methods):
            let error = RPCError(.unimplemented, "This path answers \(methods.joined(separator: ", ")) only.")
            var response = Self.failure(error, status: .methodNotAllowed)
            response.headers[.allow] = methods.joined(separator: ", ")
            return response
        case .found(let match):
            return await answer(request, match, from: caller)
        }
    }

    private func answer(_ request: Request, _ match: RouteTable.Match, from caller: JSONRequestContext) async -> Response {
        let descriptor = match.endpoint.descriptor
        let metadata = Self.metadata(of: request.headers)
        let context = RPCContext(
            method: descriptor, metadata: metadata, deadline: .after(descriptor.policy.timeout.limit), peer: caller.peer,
            requestID: metadata["x-request-id"] ?? UUIDv7.make().text,
            trace: TraceContext(metadata) ?? .make())
        if let named = match.named { context.note(named) }
        var response: Response
        do {
            let answer = try await path.answer(at: match.endpoint, context) {
                let body = try await Self.body(of: request, from: caller, for: context)
                return try JSONRequest(match: match, query: request.uri.query, body: body).bytes
            }
            response = Self.json(try match.endpoint.method.responseJSON(answer))
        } catch {
            response = Self.failure(RPCError.answering(error))
        }
        for field in context.responseMetadata.contents {
            if let name = HTTPField.Name(field.name) { response.headers[name] = field.value }
        }
        if let name = HTTPField.Name("x-request-id") { response.headers[name] = context.requestID }
        response.headers[.cacheControl] = "no-store"
        return response
    }

    /// The fields of the HTTP head that mean something to a call.
    private static func metadata(of headers: HTTPFields) -> Metadata {
        var metadata: Metadata = [:]
        for name in ["authorization", "x-request-id", "traceparent", "tracestate"] {
            guard let field = HTTPField.Name(name), let value = headers[field], value.utf8.count <= 8_192 else { continue }
            metadata[name] = value
        }
        // However long they are: what cannot be read is refused, and left out it would make a call for somebody else, or twice, or put
        // it on record as made for another reason.
        for name in [PatientAccess.header, IdempotencyKey.field, PurposeOfUse.field] {
            if let field = HTTPField.Name(name), let value = headers[field] { metadata[name] = value }
        }
        return metadata
    }

    /// The whole body. One that does not come within the call's time is waited for no longer: the connection's own limit for silence is a
    /// minute, and each byte begins it anew.
    private static func body(of request: Request, from caller: JSONRequestContext, for call: RPCContext) async throws -> [UInt8] {
        let most = call.method.maxRequestBytes
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > most { throw RPCError.requestTooLarge(for: call.method) }
        if request.headers[.expect] != nil { caller.mayContinue() }
        var body: [UInt8] = []
        do {
            for try await part in request.body {
                if let deadline = call.deadline, deadline.hasPassed { throw RPCError(.deadlineExceeded, "The body did not come in time.") }
                guard body.count + part.readableBytes <= most else { throw RPCError.requestTooLarge(for: call.method) }
                body += part.readableBytesView
            }
        } catch let error as RPCError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // It broke off, or its chunks are none: the client's doing, whether it is still there or not.
            if Task.isCancelled { throw CancellationError() }
            throw RPCError(.invalidArgument, "The body cannot be read.", cause: error)
        }
        // Spaces may stand before the semicolon (RFC 9110, section 5.6.6).
        let type = request.headers[.contentType]?.split { "; \t".contains($0) }.first?.lowercased() ?? "application/json"
        guard body.isEmpty || type == "application/json" else {
            throw RPCError(.invalidArgument, "The body must be application/json.")
        }
        return body
    }

    private static func json(
        _ bytes: [UInt8], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// An error as `{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": …, "details": […]}}`.
    private static func failure(_ error: RPCError, status: HTTPResponse.Status? = nil) -> Response {
        let status = status ?? error.httpStatus
        var response = json(error.json(httpStatus: status.code), status: status)
        if error.code == .unauthenticated { response.headers[.wwwAuthenticate] = "Bearer" }
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    /// Every handshake asks for the certificate anew, since its files may have been replaced.
    private static func tls(_ certificate: ServerCertificate) throws -> TLSConfiguration {
        let first = try certificate.current
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: first.chain.map { .certificate($0) }, privateKey: .privateKey(first.key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.sslContextCallback = { _, promise in
            var override = NIOSSLContextConfigurationOverride()
            if let current = try? certificate.current {
                override.certificateChain = current.chain.map { .certificate($0) }
                override.privateKey = .privateKey(current.key)
            }
            promise.succeed(override)
        }
        return configuration
    }
}

/// Where a request came from.
struct JSONRequestContext: InitializableFromSource {
    /// In the form in which gRPC names peers, so that both doors count one caller as one.
    let peer: String
    private let connection: any Channel

    init(source: ApplicationRequestContextSource) {
        connection = source.channel
        let address = source.channel.remoteAddress
        let (host, port) = (address?.ipAddress ?? "unknown", address?.port ?? 0)
        peer = address?.protocol == .inet6 ? "ipv6:[\(host)]:\(port)" : "ipv4:\(host):\(port)"
    }

    /// Tells a client that waits for it that its body is wanted.
    func mayContinue() { connection.triggerUserOutboundEvent(ConnectionPersistence.BodyIsWanted(), promise: nil) }
}
