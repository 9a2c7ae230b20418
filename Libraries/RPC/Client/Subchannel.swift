internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Time

/// A lane's way to one address: at most one connection that takes calls, and those that only finish theirs.
final class Subchannel: @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    let lane: ChannelLane
    /// Its place among the lane's addresses; `nil` once the lane has no more use for it.
    var index: Int?
    let path: ClientPath
    let reference: ChannelzReference
    /// Calls of connections that are gone.
    private(set) var endedCalls = CallCounts()
    /// What happened to it.
    private(set) var trace = ChannelzTrace()
    private let countsCalls: Bool
    private let logger: Logger
    private(set) var connectivity: Connectivity
    private(set) var ready: ClientConnection?
    private(set) var connections: [ObjectIdentifier: ClientConnection] = [:]
    private var idleTimer: Scheduled<Void>?
    private var pauseTimer: Scheduled<Void>?
    private var attemptBegan = ContinuousClock.now
    /// How long a connection may be silent before the server is asked for a sign of life.
    private(set) var keepaliveInterval: Duration?

    init(lane: ChannelLane, path: ClientPath, index: Int, countsCalls: Bool, logger: Logger) {
        self.lane = lane
        self.path = path
        self.index = index
        self.countsCalls = countsCalls
        reference = ChannelzReference(id: ChannelzRegistry.process.nextID(), name: "\(path.address)")
        self.logger = logger
        let configuration = path.configuration
        keepaliveInterval = configuration.keepaliveInterval
        connectivity = Connectivity(
            backoff: Backoff(
                initial: configuration.initialBackoff,
                limit: configuration.maxBackoff,
                multiplier: configuration.backoffMultiplier
            )
        )
    }

    var address: RPCAddress { path.address }
    var hasConnections: Bool { !connections.isEmpty }
    private var executor: LoopExecutor { lane.executor }

    // MARK: Calls

    /// Sends a call. Only a subchannel that is ready is given one.
    func start(_ call: ClientCall) {
        guard let ready else {
            call.end(.failure(.unreachable("the connection has just ended")), reset: false)
            return
        }
        ready.start(call)
    }

    func callBegan() {
        if countsCalls { lane.callBegan(self) }
    }

    func callEnded(_ result: Result<Void, RPCError>) {
        if countsCalls { lane.callEnded(self, result) }
    }

    /// The call goes elsewhere, for no server has begun it here.
    func callReturned() {
        if countsCalls { lane.callEnded(self, nil) }
    }

    // MARK: Connecting

    /// Connects, unless it has, or has to wait after a failure.
    func connect() {
        guard connectivity.wanted() else { return }
        changed(.connecting)
        attemptBegan = .now
        let path = path
        if case .tls(let credentials, _) = path.security {
            do throws(TLSMaterial.Unusable) { _ = try credentials.current } catch {
                attemptFailed("The TLS files of the channel cannot be used: \(error)")
                return
            }
        }
        let limit = connectivity.attemptLimit(atLeast: path.configuration.connectTimeout)
        let bootstrap = ClientBootstrap(group: executor.eventLoop)
            .connectTimeout(TimeAmount(limit))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, limit) }
            }
        let address = path.address
        let attempt =
            if let known = address.socketAddress {
                bootstrap.connect(to: known)
            } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        attempt.assumeIsolated().whenFailure { self.attemptFailed("\(ConnectFailure($0))") }
    }

    private func prepare(_ channel: any Channel, _ limit: Duration) throws {
        var settings = HTTP2Settings()
        settings.streamWindowBytes = Int32(clamping: path.configuration.streamWindowBytes)
        settings.connectionWindowBytes = WindowTuning.connectionWindow(path.configuration.streamWindowBytes)
        settings.maxHeaderListBytes = path.configuration.maxMetadataBytes
        var handler: NIOSSLClientHandler?
        var certificate: PeerCertificate?
        if case .tls(let credentials, let serverName) = path.security {
            let current = try credentials.current
            let made = try NIOSSLClientHandler(context: current.context, serverHostname: serverName)
            (handler, certificate) = (made, PeerCertificate(made, credentials, current))
        }
        let http = try HTTP2Connection(role: .client, settings: settings, executor: executor, requiresALPN: handler != nil)
        let connection = ClientConnection(http: http, path: path, certificate: certificate, subchannel: self)
        if let handler { try channel.pipeline.syncOperations.addHandler(handler) }
        try channel.pipeline.syncOperations.addHandler(http)
        http.attach(connection)
        connection.begin()
        connections[ObjectIdentifier(connection)] = connection
        // A server that takes the connection but never speaks HTTP/2 has not been reached.
        connection.closeUnlessReady(within: limit)
    }

    func connectionReady(_ connection: ClientConnection) {
        guard connectivity.connected() else {
            connection.stopTakingCalls()
            return
        }
        ready = connection
        watchIdleness(of: connection)
        changed(.ready)
    }

    /// Closes the connection when an interval has passed without a call. One timer an interval, whatever the calls.
    private func watchIdleness(of connection: ClientConnection) {
        guard let timeout = path.configuration.idleTimeout else { return }
        idleTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeout)) {
            guard self.ready === connection else { return }
            if connection.wasIdle() {
                self.connectionLost(connection, "No call was made for \(timeout).")
                connection.stopTakingCalls()
            } else {
                self.watchIdleness(of: connection)
            }
        }
    }

    /// The connection takes no further calls, though those on it may go on.
    func connectionLost(_ connection: ClientConnection, _ reason: String) {
        guard ready === connection else { return }
        noLongerReady()
        connectivity.lost()
        logger.debug("connection lost", metadata: ["server": "\(path.address)", "reason": "\(reason)"])
        trace.note("Lost the connection: \(reason)", .warning)
        lane.lostConnection()
        changed(.idle)
    }

    /// The connection is not needed: another address answered before. It is made again when it is wanted.
    func letGo() {
        guard let connection = ready else { return }
        noLongerReady()
        connectivity.lost()
        changed(.idle)
        connection.stopTakingCalls()
    }

    private func noLongerReady() {
        ready = nil
        idleTimer?.cancel()
        idleTimer = nil
    }

    /// A connection that was never open is reported by the attempt to open it, which knows why.
    func connectionClosed(_ connection: ClientConnection, _ reason: String, wasOpen: Bool) {
        if ready === connection {
            connectionLost(connection, reason)
        } else if !connection.isReady, wasOpen {
            attemptFailed(reason)
        }
    }

    /// The connection is gone, and its calls have ended or gone elsewhere.
    func connectionEnded(_ connection: ClientConnection) {
        connections[ObjectIdentifier(connection)] = nil
        endedCalls = endedCalls + connection.counts.callsNow
        if connections.isEmpty { lane.connectionsEnded(self) }
    }

    private func attemptFailed(_ reason: String) {
        let elapsed = attemptBegan.duration(to: .now)
        let chance = Double.random(in: 0...1)
        guard let pause = connectivity.attemptFailed(reason, elapsed: elapsed, chance: chance) else { return }
        logger.debug("connection failed", metadata: ["server": "\(path.address)", "reason": "\(reason)"])
        pauseTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { self.pauseEnded() }
        changed(.transientFailure(reason: reason))
    }

    private func changed(_ state: ConnectivityState) {
        trace.note(state)
        lane.changed(self, to: state)
    }

    private func pauseEnded() {
        pauseTimer = nil
        if connectivity.pauseEnded() { changed(.idle) }
    }

    /// The server finds itself asked for signs of life too often: connections from now on ask half as often (gRFC A8).
    func askedTooOften() {
        guard let interval = keepaliveInterval else { return }
        keepaliveInterval = interval * 2
        logger.notice(
            "keepalive slowed down, the server finds it too frequent",
            metadata: ["server": "\(path.address)", "interval": "\(interval * 2)"])
    }

    /// The channel trusts others or shows itself differently from now on: further calls go over connections that are
    /// made anew, and those that are there close when their calls have ended.
    func certificatesChanged() {
        executor.run { for connection in self.connections.values { connection.retire() } }
    }

    // MARK: The end

    /// Takes no further calls; connections close when those under way have ended.
    func stopTakingCalls() {
        if connectivity.state != .shutdown { trace.note(.shutdown) }
        connectivity.close()
        noLongerReady()
        pauseTimer?.cancel()
        pauseTimer = nil
        for connection in connections.values { connection.stopTakingCalls() }
    }

    /// Ends the calls under way.
    func cancelCalls() {
        for connection in connections.values {
            connection.cancelCalls(RPCError(.cancelled, "The channel was closed."))
        }
    }
}

/// A sentence about why a connection could not be made.
struct ConnectFailure: CustomStringConvertible {
    private let error: any Error

    init(_ error: any Error) {
        self.error = error
    }

    var description: String {
        guard let failure = error as? NIOConnectionError else { return "\(error)" }
        if let first = failure.connectionErrors.first { return "\(first.error)" }
        if let dns = failure.dnsAError ?? failure.dnsAAAAError { return "the name \(failure.host) is not known (\(dns))" }
        return "no connection to \(failure.host):\(failure.port)"
    }
}
