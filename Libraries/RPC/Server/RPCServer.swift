package import Logging
internal import HTTP2
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import Time

/// Answers gRPC calls over HTTP/2, with or without TLS.
///
///     let server = RPCServer(configuration: .init(host: "127.0.0.1", port: 0), services: [users], logger: logger)
///     try await server.run { host, port in print("listening on \(host):\(port)") }
package final class RPCServer: Sendable {
    private let terms: ServerConnection.Terms
    private var configuration: RPCServerConfiguration { terms.configuration }
    private var logger: Logger { terms.logger }
    private let state = Mutex(State())
    let channelzID = ChannelzRegistry.process.nextID()
    let listenerReference: ChannelzReference
    let offered: [String]

    private struct State {
        enum Phase {
            case running
            case draining
            case stopped
        }

        var phase = Phase.running
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: ServerConnection] = [:]
        /// Of connections that are gone.
        var endedCalls = CallCounts()
        var ended: AsyncStream<Void>.Continuation?
        var trace = ChannelzTrace()
    }

    package init(
        configuration: RPCServerConfiguration,
        services: [any RPCService],
        interceptors: [any ServerInterceptor] = [],
        observers: [any RPCObserver] = [],
        logger: Logger
    ) {
        terms = ServerConnection.Terms(
            configuration, MethodTable(services, interceptors: interceptors, observers: observers), logger)
        offered = services.map { type(of: $0).serviceName }
        let address = "\(configuration.host):\(configuration.port)"
        listenerReference = ChannelzReference(id: ChannelzRegistry.process.nextID(), name: "listening on \(address)")
        ChannelzRegistry.process.enter(self)
    }

    deinit {
        ChannelzRegistry.process.leave(server: channelzID)
    }

    var isSecured: Bool { configuration.tls != nil }

    /// What happened to it, the calls of connections that are gone, where it listens, and the connections that are there.
    var channelzState: (
        trace: ChannelzTrace, endedCalls: CallCounts, listener: (any Channel)?, connections: [ServerConnection]
    ) {
        state.withLock { ($0.trace, $0.endedCalls, $0.listener, Array($0.connections.values)) }
    }

    /// Listens and serves until `beginGracefulShutdown` has been called and the calls under way have ended, or until the
    /// task is cancelled, which ends them at once. Throws when the address or the certificate cannot be used.
    package func run(onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void = { _, _ in }) async throws {
        let group: any EventLoopGroup
        let ownGroup: MultiThreadedEventLoopGroup?
        if let threads = configuration.eventLoopThreads {
            let made = MultiThreadedEventLoopGroup(numberOfThreads: threads)
            (group, ownGroup) = (made, made)
        } else {
            (group, ownGroup) = (MultiThreadedEventLoopGroup.singleton, nil)
        }
        let result: Result<Void, any Error>
        do { result = .success(try await serve(on: group, onListening)) } catch { result = .failure(error) }
        // Threads that cannot be stopped end with the process; there is nothing else to do about them.
        try? await ownGroup?.shutdownGracefully()
        try result.get()
    }

    private func serve(
        on group: any EventLoopGroup,
        _ onListening: @escaping @Sendable (_ host: String, _ port: Int) -> Void
    ) async throws {
        let tls = configuration.tls.map { TLSCredentials($0, logger: logger) }
        _ = try tls?.current  // Files that cannot be used are found out here, not at the first connection.
        let watch = tls.map { CredentialsWatch($0) { [weak self] in if $0.roots != nil { self?.trustChanged() } } }
        defer { watch?.stop() }
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [logger, connections = configuration.connections] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                    guard let connections else { return }
                    try channel.pipeline.syncOperations.addHandler(ConnectionLimit(connections, logger: logger))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            // A channel keeps what it last read into; a busy one gets larger buffers by itself.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 64 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel, tls: tls) }
            }
            .bind(host: configuration.host, port: configuration.port)
            .get()
        let mayServe = state.withLock { state in
            state.listener = listener
            state.trace.note("Listening.")
            return state.phase == .running
        }
        onListening(configuration.host, listener.localAddress?.port ?? configuration.port)
        if !mayServe { stopListening() }

        await withTaskCancellationHandler {
            try? await listener.closeFuture.get()  // Closing is what was asked for; how it went changes nothing.
            await drain()
        } onCancel: {
            self.state.withLock { $0.phase = .stopped }
            self.stopListening()
        }
        state.withLock { state in
            state.listener = nil
            state.trace.note("Stopped.")
        }
    }

    /// Stops listening, tells clients to begin no further calls, and lets those under way end within `drainTimeout`.
    /// `run` returns when they have. It may be called more than once, and before `run`.
    package func beginGracefulShutdown() {
        let wasRunning = state.withLock { state in
            guard state.phase == .running else { return false }
            state.phase = .draining
            state.trace.note("Shutting down: no further calls are taken.")
            return true
        }
        if wasRunning { stopListening() }
    }

    private func stopListening() {
        let (listener, connections, phase) = state.withLock { ($0.listener, Array($0.connections.values), $0.phase) }
        listener?.close(promise: nil)
        for connection in connections {
            connection.executor.run { phase == .stopped ? connection.closeNow() : connection.drain() }
        }
    }

    /// Handlers that do not heed their cancellation are left behind after this.
    private static let cancelledHandlersMayTake: Duration = .seconds(2)

    private func drain() async {
        if state.withLock({ $0.phase }) != .stopped {
            await waitUntilEmpty(atMost: configuration.drainTimeout)
        }
        let late = state.withLock { state in
            state.phase = .stopped
            return Array(state.connections.values)
        }
        if late.isEmpty { return }
        for connection in late { connection.executor.run { connection.closeNow() } }
        await waitUntilEmpty(atMost: RPCServer.cancelledHandlersMayTake)
    }

    /// Returns when there is no connection left, when the time is up, or when the task is cancelled.
    private func waitUntilEmpty(atMost limit: Duration) async {
        // Each time another stream: one whose reader was cancelled has ended.
        let (ended, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.ended = continuation }
        await withTaskGroup { group in
            group.addTask {
                if self.state.withLock({ $0.connections.isEmpty }) { return }
                for await _ in ended where self.state.withLock({ $0.connections.isEmpty }) { return }
            }
            group.addTask {
                try? await Task.sleep(for: limit)  // A cancelled wait is over, and that is all it has to say.
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Has every connection look whether its client is still trusted.
    private func trustChanged() {
        let connections = state.withLock { state in
            state.trace.note("Trusts other roots.")
            return Array(state.connections.values)
        }
        for connection in connections {
            connection.executor.run { connection.checkTrust() }
        }
    }

    private func accept(_ channel: any Channel, tls: TLSCredentials?) throws {
        var settings = HTTP2Settings()
        settings.maxConcurrentStreams = UInt32(clamping: configuration.maxConcurrentStreams)
        settings.streamWindowBytes = Int32(clamping: configuration.streamWindowBytes)
        settings.connectionWindowBytes = WindowTuning.connectionWindow(configuration.streamWindowBytes)
        settings.minPingInterval = configuration.minPingInterval
        settings.maxHeaderListBytes = configuration.maxMetadataBytes
        let executor = LoopExecutor.of(channel.eventLoop)
        let http = try HTTP2Connection(role: .server, settings: settings, executor: executor, requiresALPN: tls != nil)
        var certificate: PeerCertificate?
        if let tls {
            let current = try tls.current
            let handler = NIOSSLServerHandler(context: current.context)
            certificate = PeerCertificate(handler, tls, current)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        let connection = ServerConnection(
            terms,
            http: http,
            peer: PeerName.of(channel.remoteAddress),
            certificate: certificate,
            onEnd: { [weak self] in self?.connectionEnded($0) }
        )
        try channel.pipeline.syncOperations.addHandler(http)
        http.attach(connection)
        connection.begin()
        // From here on the channel reports its end, which takes the connection out again.
        let phase = state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = connection
            return state.phase
        }
        if phase != .running { connection.drain() }
    }

    private func connectionEnded(_ connection: ServerConnection) {
        state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = nil
            state.endedCalls = state.endedCalls + connection.counts.callsNow
            if state.connections.isEmpty { state.ended?.yield() }
        }
    }
}
