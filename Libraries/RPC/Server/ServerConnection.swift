internal import HTTP2
internal import Logging
internal import NIOCore
internal import Time

/// One client's connection to a server: its calls, their deadlines, and how it ends.
final class ServerConnection: HTTP2Peer, @unchecked Sendable {
    /// What the connections of a server have in common.
    final class Terms: Sendable {
        let configuration: RPCServerConfiguration
        let methods: MethodTable
        let logger: Logger
        let unfinished: UnfinishedBudget

        init(_ configuration: RPCServerConfiguration, _ methods: MethodTable, _ logger: Logger) {
            self.configuration = configuration
            self.methods = methods
            self.logger = logger
            unfinished = UnfinishedBudget(bytes: configuration.maxUnfinishedBytes)
        }
    }

    // Everything mutable is touched on the event loop alone.
    let executor: LoopExecutor
    private let terms: Terms
    var configuration: RPCServerConfiguration { terms.configuration }
    var methods: MethodTable { terms.methods }
    var logger: Logger { terms.logger }
    let peer: String
    /// `nil` without TLS.
    let certificate: PeerCertificate?
    let http: HTTP2Connection
    let reference: ChannelzReference
    var counts = ConnectionCounts()
    let onEnd: @Sendable (ServerConnection) -> Void
    let timer: DeadlineTimer
    private var keepalive: Keepalive?
    private var handshakeTimer: Scheduled<Void>?
    var calls = HTTP2StreamTable<ServerCall>()
    var userAgent = RepeatedText()
    var accepted = AcceptedEncodings()
    var runningHandlers = 0
    /// Handlers that still run although their streams are gone.
    var orphanedHandlers = 0
    private var strikes: PingStrikes
    private var faults = FaultAllowance(burst: 1_000, perSecond: 33)
    /// Clients change theirs as their windows grow, a few times in the life of a connection.
    private var settingsFrames = FaultAllowance(burst: 1_000, perSecond: 33)
    var tuning: WindowTuning
    var unfinished: UnfinishedRequests
    var age: ConnectionAge?
    var isClosed = false
    var isDraining = false
    /// The second GOAWAY of the drain has been sent.
    private var hasNamedLastCall = false
    /// The client speaks HTTP/2, so its handshake is over.
    var hasBegun = false
    /// Its certificate is no longer trusted.
    var isRevoked = false
    var isSentAway = false

    init(
        _ terms: Terms,
        http: HTTP2Connection,
        peer: String,
        certificate: PeerCertificate? = nil,
        onEnd: @escaping @Sendable (ServerConnection) -> Void
    ) {
        self.http = http
        self.executor = http.executor
        self.terms = terms
        self.peer = peer
        self.certificate = certificate
        reference = ChannelzReference(id: ChannelzRegistry.process.nextID(), name: peer)
        self.onEnd = onEnd
        self.timer = DeadlineTimer(eventLoop: http.executor.eventLoop)
        strikes = PingStrikes(terms.configuration.pingPolicy)
        tuning = WindowTuning(
            streamWindowBytes: terms.configuration.streamWindowBytes, limit: terms.configuration.maxStreamWindowBytes)
        unfinished = UnfinishedRequests(limit: terms.configuration.maxConnectionUnfinishedBytes, of: terms.unfinished)
    }

    /// Begins to watch over the client. What is set up here refers back to the connection, until it ends.
    func begin() {
        let eventLoop = executor.eventLoop
        let keepalive = Keepalive(
            eventLoop: eventLoop,
            interval: configuration.keepaliveInterval,
            timeout: configuration.keepaliveTimeout,
            ask: {
                self.counts.keepalivesSent += 1
                self.changeSession { session throws(HTTP2Error) in try session.ping(ConnectionPing.keepalive) }
            },
            giveUp: { self.http.close(because: "The client gave no sign of life.") }
        )
        keepalive.watch { true }
        self.keepalive = keepalive
        let age = ConnectionAge(eventLoop: eventLoop, limits: configuration.ageLimits) { event in
            switch event {
            case .drain: self.drain()
            case .close: self.closeNow(because: "The connection has become too old.")
            }
        }
        age.begin(chance: .random(in: 0...1)) { !self.calls.isEmpty }
        self.age = age
        handshakeTimer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(configuration.handshakeTimeout)) {
            self.http.close(because: "The client did not begin to speak HTTP/2.")
        }
    }

    // MARK: Events

    func heard() { keepalive?.heard() }

    func received(_ event: HTTP2Event, in batch: HTTP2Batch) {
        switch event {
        case .headers(let stream, let fields, let endStream, let isTruncated):
            if let call = calls[stream] {
                // Trailers of a request: gRPC defines none, so only the end matters.
                if endStream { call.receivedEnd() }
            } else if isTruncated || batch.isRequest(fields) {
                begin(stream, fields, of: batch, endStream: endStream, isTruncated: isTruncated)
            }
        case .data(let stream, let range):
            measure { tuning throws(HTTP2Error) in try tuning.received(range.count, on: http) }
            if let call = calls[stream] {
                unsafe call.received(batch.body.span.bytes.extracting(range))
            } else {
                returnRoomEverywhere(range.count, on: stream)
            }
        case .endStream(let stream):
            calls[stream]?.receivedEnd()
        case .answeredEarly(let stream):
            // A caller that still sends is told to stop (RFC 9113, section 8.1).
            changeSession { $0.reset(stream, .noError) }
        case .drained(let stream):
            calls[stream]?.drained()
        case .streamClosed(let stream, let code):
            counts.streamEnded(code == .noError)
            guard let call = calls.removeValue(for: stream) else { return }
            if call.lostStream() { orphanedHandlers += 1 }
            if !call.isEnded { call.abandon(RPCError(.cancelled, "The caller cancelled the call.")) }
        case .pingAcknowledged(let payload):
            measure { tuning throws(HTTP2Error) in try tuning.pingAcknowledged(payload, on: http) }
            // Once: a client could have it said without end by acknowledging again and again, and read nothing of it.
            guard isDraining, !hasNamedLastCall, payload == ConnectionPing.drain else { return }
            hasNamedLastCall = true
            changeSession { session throws(HTTP2Error) in try session.sendGoAway(.noError) }
        case .pinged:
            let sent = http.session.messageFramesSent
            let now = executor.eventLoop.now.sinceStart
            if strikes.pinged(at: now, hasCalls: !calls.isEmpty, messageFramesSent: sent) { sendAway("too_many_pings") }
        case .settings:
            if !settingsFrames.take(at: executor.eventLoop.now.sinceStart) { sendAway("too_many_settings") }
            handshakeTimer?.cancel()
            handshakeTimer = nil
            hasBegun = true
            checkTrust()
        case .goAway(_, let code, _):
            counts.goAwayError = code.rawValue
        case .invalidFrame(let stream, let reason):
            if !faults.take(at: executor.eventLoop.now.sinceStart) { sendAway("too_many_faults") }
            logger.debug("frame refused", metadata: ["stream": "\(stream)", "reason": "\(reason)", "peer": "\(peer)"])
        }
    }

    func connectionEnded(_ reason: String) {
        isClosed = true
        timer.stop()
        age?.stop()
        age = nil
        keepalive?.stop()
        keepalive = nil
        handshakeTimer?.cancel()
        handshakeTimer = nil
        let calls = calls.elements
        self.calls = HTTP2StreamTable()
        for (_, call) in calls {
            if call.lostStream() { orphanedHandlers += 1 }
            // One whose answer is still on its way has ended, and was reported.
            if !call.isEnded { call.abandon(RPCError(.cancelled, "The caller's connection was closed.")) }
        }
        reportEnd()
    }
}

extension HTTP2Batch {
    /// Whether a block of headers begins with HTTP/2's own fields.
    fileprivate func isRequest(_ fields: Range<Int>) -> Bool {
        var isRequest = false
        forEachField(in: fields.prefix(1)) { name, _ in isRequest = name.hasPrefix(":") }
        return isRequest
    }
}
