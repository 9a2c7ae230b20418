internal import HTTP2
internal import Logging
internal import NIOCore
internal import Time

/// One client's connection to a server: its calls, their deadlines, and how it ends.
final class ServerConnection: HTTP2Peer, RoomGiver, @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    let executor: LoopExecutor
    let configuration: RPCServerConfiguration
    private let methods: MethodTable
    private let logger: Logger
    private let peer: String
    /// `nil` without TLS.
    private let certificate: PeerCertificate?
    let http: HTTP2Connection
    let reference: ChannelzReference
    var counts = ConnectionCounts()
    private let onEnd: @Sendable (ServerConnection) -> Void
    private let timer: DeadlineTimer
    private var keepalive: Keepalive?
    private var handshakeTimer: Scheduled<Void>?
    private var calls = HTTP2StreamTable<ServerCall>()
    private var userAgent = RepeatedText()
    private var accepted = AcceptedEncodings()
    private var runningHandlers = 0
    /// Handlers that still run although their streams are gone.
    private var orphanedHandlers = 0
    private var strikes: PingStrikes
    private var faults = FaultAllowance(burst: 1_000, perSecond: 33)
    private var tuning: WindowTuning
    private var age: ConnectionAge?
    private var isClosed = false
    private var isDraining = false
    /// The client speaks HTTP/2, so its handshake is over.
    private var hasBegun = false
    /// Its certificate is no longer trusted.
    private var isRevoked = false
    private var isSentAway = false

    init(
        http: HTTP2Connection,
        configuration: RPCServerConfiguration,
        methods: MethodTable,
        peer: String,
        certificate: PeerCertificate? = nil,
        logger: Logger,
        onEnd: @escaping @Sendable (ServerConnection) -> Void
    ) {
        self.http = http
        self.executor = http.executor
        self.configuration = configuration
        self.methods = methods
        self.peer = peer
        self.certificate = certificate
        reference = ChannelzReference(id: ChannelzRegistry.process.nextID(), name: peer)
        self.logger = logger
        self.onEnd = onEnd
        self.timer = DeadlineTimer(eventLoop: http.executor.eventLoop)
        strikes = PingStrikes(configuration.pingPolicy)
        tuning = WindowTuning(
            streamWindowBytes: configuration.streamWindowBytes, limit: configuration.maxStreamWindowBytes)
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

    func received(_ event: HTTP2Event, in batch: HTTP2Batch) {
        keepalive?.heard()
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
            guard isDraining, payload == ConnectionPing.drain else { return }
            changeSession { session throws(HTTP2Error) in try session.sendGoAway(.noError) }
        case .pinged:
            let sent = http.session.messageFramesSent
            let now = executor.eventLoop.now.sinceStart
            if strikes.pinged(at: now, hasCalls: !calls.isEmpty, messageFramesSent: sent) { sendAway("too_many_pings") }
        case .settings:
            handshakeTimer?.cancel()
            handshakeTimer = nil
            hasBegun = true
            checkTrust()
        case .goAway:
            break
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
            call.abandon(RPCError(.cancelled, "The caller's connection was closed."))
        }
        reportEnd()
    }

    private func begin(
        _ stream: HTTP2StreamID,
        _ fields: Range<Int>,
        of batch: HTTP2Batch,
        endStream: Bool,
        isTruncated: Bool
    ) {
        // Handlers that do not heed the end of their streams keep their places, so that streams which are begun and reset
        // without end cannot make handlers without end (CVE-2023-44487; grpc-go's GHSA-m425-mq94-257g).
        guard calls.count + orphanedHandlers < configuration.maxConcurrentStreams else {
            changeSession { $0.reset(stream, .refusedStream) }
            return
        }
        age?.callBegan()
        let head: RequestHead
        do throws(RequestHead.Refusal) {
            head = try RequestHead(fields, of: batch, isTruncated: isTruncated, methods: methods, userAgent: &userAgent,
                accepted: &accepted)
        } catch {
            refuse(stream, error)
            return
        }
        let descriptor = head.method.descriptor
        let limit = descriptor.policy.timeout.limit
        let now = ContinuousClock.now
        let timeout = head.timeout.map { min($0, limit) } ?? limit
        let deadline = Deadline.after(timeout, from: now)
        counts.callStarted(deadline, limit: timeout)
        let context = RPCContext(
            method: descriptor, metadata: head.metadata, deadline: deadline, peer: peer,
            peerIdentity: certificate?.identity)
        let call = ServerCall(
            stream: stream, method: head.method, context: context, compression: head.compression, began: now,
            connection: self)
        calls[stream] = call
        watch(deadline)
        call.begin()
        if endStream { call.receivedEnd() }
    }

    private func refuse(_ stream: HTTP2StreamID, _ refusal: RequestHead.Refusal) {
        counts.callRefused()
        var headers: [HTTP2Header]
        switch refusal {
        case .http(let status):
            headers = [HTTP2Header(":status", String(status))]
        case .status(let error):
            headers = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
            headers += StatusTrailers.failure(error, [:])
        }
        methods.count(refusal, from: peer)
        changeSession { session throws(HTTP2Error) in
            try session.sendResponse(headers, on: stream, endStream: true)
        }
    }

    // MARK: Deadlines

    private func watch(_ deadline: Deadline) {
        timer.watch(deadline) { self.endLateCalls() }
    }

    private func endLateCalls() -> Deadline? {
        var next: Deadline?
        for (_, call) in calls.elements where !call.isEnded {
            guard let deadline = call.context.deadline else { continue }
            if deadline.hasPassed {
                call.end(.failure(RPCError(.deadlineExceeded, "The call took longer than its deadline allows.")))
            } else {
                next = Deadline.earlier(next, deadline)
            }
        }
        return next
    }

    // MARK: The end

    /// Lets the calls under way end and takes no new ones. A client learns it from the first GOAWAY; the second, sent
    /// once a ping has come back, names the last call that was taken.
    func drain() {
        guard !isClosed, !isDraining else { return }
        isDraining = true
        changeSession { session throws(HTTP2Error) in
            try session.sendShutdownNotice()
            try session.ping(ConnectionPing.drain)
        }
    }

    /// Tells a client that asks for too much why it loses its connection; for pings with gRPC's own word (gRFC A8).
    private func sendAway(_ reason: String) {
        guard !isClosed, !isSentAway else { return }
        isSentAway = true
        logger.notice("client sent away", metadata: ["peer": "\(peer)", "reason": "\(reason)"])
        changeSession { session throws(HTTP2Error) in try session.sendGoAway(.enhanceYourCalm, reason: reason) }
        closeNow(because: "The client asked for too much: \(reason).")
    }

    /// Ends every call with UNAVAILABLE and closes the connection.
    func closeNow(because reason: String = "The server is shutting down.") {
        guard !isClosed else { return }
        for (_, call) in calls.elements { call.end(.failure(RPCError(.unavailable, reason))) }
        http.flush()
        http.closeWhenSent(because: reason)
        // A client that takes nothing must not keep the server.
        executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.http.close(because: reason)
        }
    }

    /// Has a client whose certificate is no longer trusted gone within a second of the change, the time to notice it
    /// included: it is told to begin no further calls, whether it listens or not, and what it still waits for is ended.
    func checkTrust() {
        guard hasBegun, !isClosed, !isRevoked, certificate?.isOutdated == true else { return }
        isRevoked = true
        logger.notice("a certificate is no longer trusted", metadata: ["peer": "\(peer)"])
        drain()
        let eventLoop = executor.eventLoop.assumeIsolated()
        eventLoop.scheduleTask(in: .milliseconds(200)) {
            guard !self.isClosed else { return }
            self.changeSession { session throws(HTTP2Error) in try session.sendGoAway(.noError) }
        }
        eventLoop.scheduleTask(in: .milliseconds(600)) { self.closeNow(because: "The client is no longer trusted.") }
    }

    func handlerStarted() {
        runningHandlers += 1
    }

    func handlerEnded(isOrphaned: Bool) {
        runningHandlers -= 1
        if isOrphaned { orphanedHandlers -= 1 }
        reportEnd()
    }

    private func reportEnd() {
        if isClosed, runningHandlers == 0 { onEnd(self) }
    }

    // MARK: What calls use

    /// Changes the session. What it refuses means that it can serve nobody any more, so the connection is closed.
    func changeSession(_ body: (inout HTTP2Session) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) {
            try http.change(body)
        } catch {
            logger.error("session failed", metadata: ["reason": "\(error.reason)", "peer": "\(peer)"])
            http.close(because: error.description)
        }
    }

    private func measure(_ body: (inout WindowTuning) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) { try body(&tuning) } catch { http.close(because: error.description) }
    }

    func returnRoom(_ count: Int, on stream: HTTP2StreamID) {
        changeSession { session throws(HTTP2Error) in try session.consume(count, on: stream) }
    }

    /// Lets the caller send more on the stream and on the connection.
    func returnRoomEverywhere(_ count: Int, on stream: HTTP2StreamID) {
        changeSession { session throws(HTTP2Error) in try session.consumeEverywhere(count, on: stream) }
    }

    /// Lets the caller send more on the connection; what the stream holds is still unread.
    func returnRoomOnConnection(_ count: Int) {
        changeSession { session throws(HTTP2Error) in try session.consumeConnection(count) }
    }

    /// Whether so much waits to be sent on the stream that its writers should wait; if so, `drained` will come.
    func holdBackWriters(of stream: HTTP2StreamID) -> Bool {
        guard http.session.pendingBytes(on: stream) > WriteGate.maxPendingBytes else { return false }
        http.session.reportDrain(of: stream)
        return true
    }

    /// What an error's cause was. Its text is not written: of an error that this module does not know nobody can say
    /// that it holds no values. A program that knows its errors logs them in an interceptor.
    func log(_ error: RPCError, of context: RPCContext) {
        guard !methods.isObserved, let cause = error.cause, !(cause is CancellationError) else { return }
        logger.debug(
            "call failed",
            metadata: [
                "method": "\(context.method.path)", "request_id": "\(context.requestID)",
                "code": "\(error.code.name)", "cause": "\(type(of: cause))",
            ]
        )
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
