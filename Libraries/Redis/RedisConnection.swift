internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Time

/// A connection that has passed the handshake: Redis knows who we are, answers, and keeps what its role promises.
struct RedisConnection: Sendable {
    let channel: any Channel
    private let bound: NIOLoopBound<RedisChannelHandler>

    /// To be used on the connection's event loop only.
    var handler: RedisChannelHandler { bound.value }

    /// Connects within `connectTimeout`. On any error the socket is closed again.
    static func open(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop
    ) async throws(RedisError) -> RedisConnection {
        let deadline = NIODeadline.now() + TimeAmount(configuration.connectTimeout)
        let connection: RedisConnection
        do {
            let tls = try TLSClient(configuration)
            connection = try await ClientBootstrap(group: eventLoop)
                .connectTimeout(TimeAmount(configuration.connectTimeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .connect(host: configuration.host, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let reader = RESPReader(maxReplyBytes: configuration.maxReplyBytes) else {
                            throw RedisError(.connectionFailed, "There is no memory for a connection to Redis.")
                        }
                        let handler = RedisChannelHandler(
                            reader: reader, commandTimeout: TimeAmount(configuration.commandTimeout))
                        if let tls { try channel.pipeline.syncOperations.addHandler(tls.makeHandler()) }
                        try channel.pipeline.syncOperations.addHandler(handler)
                        return RedisConnection(
                            channel: channel, bound: NIOLoopBound(handler, eventLoop: channel.eventLoop))
                    }
                }
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(
                .connectionFailed, "Redis at \(configuration.host):\(configuration.port) cannot be reached.",
                cause: error)
        }
        do {
            try await Handshake(configuration).run { commands in await connection.send(commands, deadline: deadline) }
        } catch {
            connection.channel.close(promise: nil)
            throw Self.failedHandshake(error, configuration)
        }
        return connection
    }

    /// What a refusal means stays as it is; silence and a lost connection are a server that cannot be reached.
    private static func failedHandshake(_ error: RedisError, _ configuration: RedisConfiguration) -> RedisError {
        switch error.code {
        case .authenticationFailed, .evictingServer, .connectionFailed, .protocolViolation: error
        default:
            RedisError(
                .connectionFailed,
                "Redis at \(configuration.host):\(configuration.port) did not complete the handshake.", cause: error)
        }
    }

    /// Sends commands past any lane's queue; `prepare` is done on the event loop before they are sent.
    func send(
        _ commands: [RedisCommand], deadline: NIODeadline,
        prepare: @escaping @Sendable (RedisChannelHandler) -> Void = { _ in }
    ) async -> RedisRequest.Answer {
        let request = RedisRequest(commands, deadline: deadline)
        channel.eventLoop.execute {
            prepare(handler)
            handler.send([request])
        }
        return await request.answer()
    }

    /// Waits until the connection has ended and says why. When the caller is cancelled, `onCancel` is called, and the
    /// replies that are owed may still come, within their timeouts.
    func ended(onCancel: @escaping @Sendable () -> Void) async -> any Error {
        await withTaskCancellationHandler {
            // The close future succeeds however the channel ended; the reason is the handler's.
            try? await channel.closeFuture.get()
        } onCancel: {
            onCancel()
            channel.eventLoop.execute { handler.drain() }
        }
        let bound = bound
        let reason = try? await channel.eventLoop.submit { bound.value.closeReason }.get()
        return (reason ?? nil) ?? ChannelError.eof
    }
}

/// What TLS needs, loaded anew for each connection.
private struct TLSClient: Sendable {
    let context: NIOSSLContext
    let serverName: String?

    init?(_ configuration: RedisConfiguration) throws {
        guard let tls = configuration.tls else { return nil }
        var client = TLSConfiguration.makeClientConfiguration()
        if let path = tls.trustRoots { client.trustRoots = .file(path) }
        if let path = tls.certificateChain {
            client.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
        }
        if let path = tls.privateKey {
            client.privateKey = try .privateKey(NIOSSLPrivateKey(file: path, format: .pem))
        }
        context = try NIOSSLContext(configuration: client)
        // A name for the certificate; an address is checked as an address and must not be sent as a name.
        let name = tls.serverName ?? configuration.host
        serverName = (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
    }

    func makeHandler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: serverName)
    }
}
