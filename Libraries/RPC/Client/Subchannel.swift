internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Time

/// A channel's presence on one event loop: at most one connection that takes calls, and the calls that wait for it.
final class Subchannel: @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    let executor: LoopExecutor
    private let path: ClientPath
    private let logger: Logger
    private var connectivity: Connectivity
    private var ready: ClientConnection?
    private var connections: [ObjectIdentifier: ClientConnection] = [:]
    private var waiting: [ClientCall] = []
    private let timer: DeadlineTimer
    private var whenEmpty: [CheckedContinuation<Void, Never>] = []

    init(eventLoop: any EventLoop, path: ClientPath, logger: Logger) {
        self.executor = LoopExecutor.of(eventLoop)
        self.path = path
        self.logger = logger
        let configuration = path.configuration
        connectivity = Connectivity(
            backoff: Backoff(
                initial: configuration.initialBackoff,
                limit: configuration.maxBackoff,
                multiplier: configuration.backoffMultiplier
            )
        )
        timer = DeadlineTimer(eventLoop: eventLoop)
    }

    // MARK: Calls

    /// Sends the call now or when there is a connection.
    func start(_ call: ClientCall) {
        if let deadline = call.context.deadline, deadline.hasPassed {
            call.end(.failure(.deadlinePassed), reset: false)
            return
        }
        switch connectivity.callArrived(waitForReady: call.context.waitForReady) {
        case .start:
            ready?.start(call)
        case .wait:
            wait(call)
        case .connectAndWait:
            wait(call)
            connect()
        case .fail(let reason):
            call.end(.failure(RPCError(.unavailable, "The server cannot be reached: \(reason)")), reset: false)
        }
    }

    private func wait(_ call: ClientCall) {
        waiting.append(call)
        if let deadline = call.context.deadline { timer.watch(deadline) { [weak self] in self?.endLateCalls() } }
    }

    private func endLateCalls() -> Deadline? {
        var next: Deadline?
        for call in waiting {
            guard let deadline = call.context.deadline else { continue }
            if deadline.hasPassed {
                call.end(.failure(.deadlinePassed), reset: false)
            } else {
                next = Deadline.earlier(next, deadline)
            }
        }
        waiting.removeAll { $0.isEnded }
        return next
    }

    // MARK: Connecting

    private func connect() {
        let path = path
        if case .tls(let credentials, _) = path.security {
            do throws(TLSMaterial.Unusable) { _ = try credentials.current } catch {
                attemptFailed("The TLS files of the channel cannot be used: \(error)")
                return
            }
        }
        let eventLoop = executor.eventLoop
        let attempt = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(path.configuration.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel) }
            }
            .connect(host: path.host, port: path.port)
        attempt.assumeIsolated().whenFailure { self.attemptFailed("\(ConnectFailure($0))") }
    }

    private func prepare(_ channel: any Channel) throws {
        var settings = HTTP2Settings()
        settings.streamWindowBytes = Int32(clamping: path.configuration.streamWindowBytes)
        settings.connectionWindowBytes = Int32(clamping: max(path.configuration.streamWindowBytes * 16, 1 << 20))
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
        let limit = TimeAmount(path.configuration.connectTimeout)
        executor.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            guard let self, ready !== connection, connections[ObjectIdentifier(connection)] != nil else { return }
            if connection.takesCalls { connection.close(because: "The server did not answer as HTTP/2 does.") }
        }
    }

    func connectionReady(_ connection: ClientConnection) {
        guard connectivity.connected() else {
            connection.stopTakingCalls()
            return
        }
        ready = connection
        let calls = waiting
        waiting = []
        timer.stop()
        for call in calls where !call.isEnded { connection.start(call) }
    }

    /// The connection takes no further calls, though those on it may go on.
    func connectionLost(_ connection: ClientConnection, _ reason: String) {
        guard ready === connection else { return }
        ready = nil
        connectivity.lost()
        logger.debug("connection lost", metadata: ["server": "\(path.authority)", "reason": "\(reason)"])
    }

    /// A connection that was never open is reported by the attempt to open it, which knows why.
    func connectionEnded(_ connection: ClientConnection, _ reason: String, wasOpen: Bool) {
        connections[ObjectIdentifier(connection)] = nil
        if ready === connection {
            connectionLost(connection, reason)
        } else if !connection.isReady, wasOpen {
            attemptFailed(reason)
        }
        if connections.isEmpty {
            for continuation in whenEmpty { continuation.resume() }
            whenEmpty = []
        }
    }

    private func attemptFailed(_ reason: String) {
        guard let pause = connectivity.attemptFailed(reason, chance: Double.random(in: 0...1)) else { return }
        logger.debug("connection failed", metadata: ["server": "\(path.authority)", "reason": "\(reason)"])
        let failed = waiting.filter { !$0.context.waitForReady }
        waiting.removeAll { !$0.context.waitForReady || $0.isEnded }
        executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(pause)) { [weak self] in self?.pauseEnded() }
        for call in failed {
            call.end(.failure(RPCError(.unavailable, "The server cannot be reached: \(reason)")), reset: false)
        }
    }

    private func pauseEnded() {
        waiting.removeAll { $0.isEnded }
        if connectivity.pauseEnded(callsAreWaiting: !waiting.isEmpty) { connect() }
    }

    /// The channel trusts others or shows itself differently from now on: further calls go over connections that are
    /// made anew, and those that are there close when their calls have ended.
    func certificatesChanged() {
        executor.run { for connection in self.connections.values { connection.retire() } }
    }

    // MARK: The end

    /// Takes no further calls, and returns when those under way have ended.
    func close() async {
        await withCheckedContinuation { continuation in
            executor.run {
                self.stopTakingCalls()
                if self.connections.isEmpty { continuation.resume() } else { self.whenEmpty.append(continuation) }
            }
        }
    }

    /// Takes no further calls; connections close when those under way have ended.
    func abandon() {
        executor.run { self.stopTakingCalls() }
    }

    private func stopTakingCalls() {
        connectivity.close()
        ready = nil
        let calls = waiting
        waiting = []
        for call in calls { call.end(.failure(RPCError(.unavailable, "The channel is closed.")), reset: false) }
        for connection in connections.values { connection.stopTakingCalls() }
    }

    /// Ends the calls under way.
    func cancelCalls() {
        executor.run {
            for connection in self.connections.values {
                connection.cancelCalls(RPCError(.cancelled, "The channel was closed."))
            }
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
