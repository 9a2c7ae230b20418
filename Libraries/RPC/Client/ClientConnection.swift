internal import HTTP2
internal import NIOCore
internal import Time

/// One connection of a channel: the calls on it, their deadlines, and signs of life.
final class ClientConnection: HTTP2Peer, RoomGiver, @unchecked Sendable {
    // Everything mutable is touched on the event loop alone.
    let http: HTTP2Connection
    let reference: ChannelzReference
    var counts = ConnectionCounts()
    private let path: ClientPath
    private let subchannel: Subchannel
    /// `nil` without TLS.
    let certificate: PeerCertificate?
    private var calls = HTTP2StreamTable<ClientCall>()
    private let timer: DeadlineTimer
    /// The server has answered as HTTP/2 does.
    private(set) var isReady = false
    private(set) var takesCalls = true
    private var hasEnded = false
    private var keepalive: Keepalive?
    private var handshakeTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?
    private var wasUsed = false
    private var requestFields = RequestFields()
    private var tuning: WindowTuning

    init(http: HTTP2Connection, path: ClientPath, certificate: PeerCertificate? = nil, subchannel: Subchannel) {
        self.http = http
        self.certificate = certificate
        self.path = path
        self.subchannel = subchannel
        reference = ChannelzReference(id: ChannelzRegistry.process.nextID(), name: path.authority)
        timer = DeadlineTimer(eventLoop: http.executor.eventLoop)
        tuning = WindowTuning(
            streamWindowBytes: path.configuration.streamWindowBytes, limit: path.configuration.maxStreamWindowBytes)
    }

    /// Prepares to ask for signs of life. What is set up here refers back to the connection, until it ends.
    func begin() {
        guard let interval = subchannel.keepaliveInterval else { return }
        keepalive = Keepalive(
            eventLoop: http.executor.eventLoop,
            interval: interval,
            timeout: path.configuration.keepaliveTimeout,
            ask: {
                self.counts.keepalivesSent += 1
                self.changeSession { session throws(HTTP2Error) in try session.ping(ConnectionPing.keepalive) }
            },
            giveUp: { self.http.close(because: "The server gave no sign of life.") }
        )
    }

    /// A server that takes the connection but never speaks HTTP/2 is not reached.
    func closeUnlessReady(within limit: Duration) {
        handshakeTimer = http.executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            if self.takesCalls { self.close(because: "The server did not answer as HTTP/2 does.") }
        }
    }

    private func stopHandshakeTimer() {
        handshakeTimer?.cancel()
        handshakeTimer = nil
    }

    var hasCalls: Bool { !calls.isEmpty }
    var address: RPCAddress { path.address }

    // MARK: Calls

    /// Sends the call; it waits in the session while the server allows no further stream.
    func start(_ call: ClientCall) {
        let fixed = requestFields.fields(of: call.context.method, on: path)
        let headers = (fixed == nil ? path.fixedHeaders(of: call.context.method) : []) + path.ownHeaders(of: call.context)
        do throws(HTTP2Error) {
            let stream = try http.change { session throws(HTTP2Error) in
                try session.sendRequest(headers, after: fixed, endStream: false)
            }
            calls[stream] = call
            wasUsed = true
            subchannel.callBegan()
            counts.callSent()
            call.sent(on: self, as: stream)
        } catch {
            // All stream numbers are used up, or memory is: this connection has had its time.
            subchannel.connectionLost(self, "The connection takes no further calls.")
            stopTakingCalls()
            subchannel.lane.start(call)
            return
        }
        if let deadline = call.context.deadline { timer.watch(deadline) { self.endLateCalls() } }
        watchForSigns()
    }

    /// Whether there was no call since this was asked before.
    func wasIdle() -> Bool {
        defer { wasUsed = false }
        return !wasUsed && calls.isEmpty
    }

    private func watchForSigns() {
        keepalive?.watch { self.hasCalls || (self.path.configuration.keepaliveWithoutCalls && self.takesCalls) }
    }

    private func endLateCalls() -> Deadline? {
        var next: Deadline?
        for (_, call) in calls.elements where !call.isEnded {
            guard let deadline = call.context.deadline else { continue }
            if deadline.hasPassed {
                call.end(.failure(.deadlinePassed), reset: true)
            } else {
                next = Deadline.earlier(next, deadline)
            }
        }
        return next
    }

    /// The call is over for its caller; the stream may live on a little.
    func callEnded(_ stream: HTTP2StreamID, _ result: Result<Void, RPCError>) {
        calls[stream] = nil
        subchannel.callEnded(result)
        if calls.isEmpty, !takesCalls { close(because: "The channel has no more calls here.") }
    }

    // MARK: Events

    func heard() { keepalive?.heard() }

    func received(_ event: HTTP2Event, in batch: HTTP2Batch) {
        switch event {
        case .headers(let stream, let fields, let endStream, let isTruncated):
            guard let call = calls[stream] else { break }
            call.received(fields, of: batch, endStream: endStream, isTruncated: isTruncated)
            // Headers that end a stream are a status; without one the call has failed by now.
            if endStream { call.receivedEnd() }
        case .data(let stream, let range):
            measure { tuning throws(HTTP2Error) in try tuning.received(range.count, on: http) }
            changeSession { session throws(HTTP2Error) in try session.consumeConnection(range.count) }
            if let call = calls[stream] {
                unsafe call.received(batch.body.span.bytes.extracting(range))
            } else {
                returnRoom(range.count, on: stream)
            }
        case .endStream(let stream):
            calls[stream]?.receivedEnd()
        case .drained(let stream):
            calls[stream]?.drained()
        case .streamClosed(let stream, let code):
            counts.streamEnded(code == .noError)
            guard let call = calls.removeValue(for: stream) else { return }
            if call.streamClosed(code, unseen: code == .refusedStream ? unseen(stream) : nil) { sendElsewhere(call) }
            if calls.isEmpty, !takesCalls { close(because: "The channel has no more calls here.") }
        case .goAway(let last, let code, let reason):
            counts.goAwayError = code.rawValue
            if code == .enhanceYourCalm, reason == "too_many_pings" { subchannel.askedTooOften() }
            let detail = reason.isEmpty ? "\(code)" : "\(code), \(reason)"
            subchannel.connectionLost(self, "The server is closing the connection (\(detail)).")
            takesCalls = false
            // What has not left cannot leave any more, however late a call the server names as the last.
            repeatCalls(above: min(last, http.session.lastRequestSent), .leftOut)
            stopTakingCalls()
        case .settings:
            if let least = http.session.peerMinPingInterval { keepalive?.askAtMostEvery(least) }
            guard !isReady else { return }
            isReady = true
            stopHandshakeTimer()
            subchannel.connectionReady(self)
            if path.configuration.keepaliveWithoutCalls { watchForSigns() }
        case .pingAcknowledged(let payload):
            measure { tuning throws(HTTP2Error) in try tuning.pingAcknowledged(payload, on: http) }
        case .pinged, .answeredEarly, .invalidFrame:
            break
        }
    }

    func connectionEnded(_ reason: String) {
        hasEnded = true
        timer.stop()
        stopHandshakeTimer()
        closeTimer?.cancel()
        closeTimer = nil
        keepalive?.stop()
        keepalive = nil
        takesCalls = false
        subchannel.connectionClosed(self, reason, wasOpen: http.wasOpen)
        repeatCalls(above: http.session.lastRequestSent, .neverLeft)
        let calls = calls.elements
        self.calls = HTTP2StreamTable()
        for (_, call) in calls {
            call.end(.failure(RPCError(.unavailable, "The connection to the server was lost: \(reason)")), reset: false)
        }
        subchannel.connectionEnded(self)
    }

    /// Sends calls elsewhere that the server has not begun: those above the stream it named, or that never left.
    private func repeatCalls(above last: HTTP2StreamID, _ reason: ClientStream.Unseen) {
        for (stream, call) in calls.elements where stream > last {
            calls[stream] = nil
            let unseen = stream > http.session.lastRequestSent ? .neverLeft : reason
            if call.streamClosed(.refusedStream, unseen: unseen) { sendElsewhere(call) }
        }
    }

    /// nghttp2 refuses by itself what it may not send after a GOAWAY.
    private func unseen(_ stream: HTTP2StreamID) -> ClientStream.Unseen {
        !takesCalls && stream > http.session.lastRequestSent ? .neverLeft : .refused
    }

    private func sendElsewhere(_ call: ClientCall) {
        counts.callReturned()
        subchannel.callReturned()
        subchannel.lane.start(call)
    }

    // MARK: The end

    /// Makes room for a connection with the channel's new certificates. A server that is no longer trusted has its calls
    /// ended within the second; one that is may finish them.
    func retire() {
        guard takesCalls else { return }
        let eventLoop = http.executor.eventLoop.assumeIsolated()
        guard isReady else {
            // An attempt under way is not broken off, since calls wait for it.
            eventLoop.scheduleTask(in: .milliseconds(100)) { self.retire() }
            return
        }
        let isTrusted = certificate?.isOutdated != true
        subchannel.connectionLost(self, "The channel's certificates were replaced.")
        stopTakingCalls()
        guard !isTrusted else { return }
        eventLoop.scheduleTask(in: .milliseconds(600)) {
            self.http.close(because: "The server is no longer trusted.")
        }
    }

    /// Lets the calls here end and then closes.
    func stopTakingCalls() {
        takesCalls = false
        if calls.isEmpty { close(because: "The channel has no more calls here.") }
    }

    func cancelCalls(_ error: RPCError) {
        for (_, call) in calls.elements { call.end(.failure(error), reset: true) }
    }

    func close(because reason: String) {
        guard http.wasOpen else {
            http.close(because: reason)
            return
        }
        http.flush()
        http.closeWhenSent(because: reason)
        // A server that takes nothing must not keep a connection whose calls have ended, nor whoever closes the channel.
        guard closeTimer == nil, !hasEnded else { return }
        closeTimer = http.executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { self.http.close(because: reason) }
    }

    // MARK: What calls use

    /// Changes the session. What it refuses means that it can serve nobody any more, so the connection is closed.
    func changeSession(_ body: (inout HTTP2Session) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) { try http.change(body) } catch { http.close(because: error.description) }
    }

    private func measure(_ body: (inout WindowTuning) throws(HTTP2Error) -> Void) {
        do throws(HTTP2Error) { try body(&tuning) } catch { http.close(because: error.description) }
    }

    func returnRoom(_ count: Int, on stream: HTTP2StreamID) {
        changeSession { session throws(HTTP2Error) in try session.consume(count, on: stream) }
    }

    /// Whether so much waits to be sent on the stream that its writers should wait; if so, `drained` will come.
    func holdBackWriters(of stream: HTTP2StreamID) -> Bool {
        guard http.session.pendingBytes(on: stream) > WriteGate.maxPendingBytes else { return false }
        http.session.reportDrain(of: stream)
        return true
    }
}
