internal import HTTP2
internal import NIOCore
internal import NIOTLS

/// What stands on an HTTP/2 connection: the calls that a server answers, or those that a client makes.
protocol HTTP2Peer: AnyObject {
    /// Bytes have arrived, whatever they say but for a part of a block of headers. (Events also tell what this side has done itself.)
    func heard()
    /// What the event refers to stands in the batch, and only until the call returns.
    func received(_ event: HTTP2Event, in batch: HTTP2Batch)
    /// The connection is gone. It is the last thing that a peer hears.
    func connectionEnded(_ reason: String)
}

/// Moves bytes between a channel and an HTTP/2 session, on the channel's event loop. It writes nothing while the
/// channel has no room, so that a slow reader makes bodies wait where their windows and bounds can see them.
final class HTTP2Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let executor: LoopExecutor
    private(set) var session: HTTP2Session
    let requiresALPN: Bool
    private var peer: (any HTTP2Peer)?
    private var context: ChannelHandlerContext?
    private var isDirty = false
    private var isDelivering = false
    private var isEnded = false
    private var isClosing = false
    private(set) var wasOpen = false
    /// When the last call was answered of those that are being read, or reading them began.
    private var lastAnswer = ContinuousClock.now
    /// What calls have taken whose answers wait until all that has come is read.
    private var unsent: Duration = .zero
    private var reason = "The connection was closed."

    init(role: HTTP2Role, settings: HTTP2Settings, executor: LoopExecutor, requiresALPN: Bool) throws(HTTP2Error) {
        self.executor = executor
        self.requiresALPN = requiresALPN
        session = try HTTP2Session(role: role, settings: settings)
    }

    var localAddress: SocketAddress? { context?.channel.localAddress }
    var remoteAddress: SocketAddress? { context?.channel.remoteAddress }

    /// Whether the channel takes anything now.
    var hasRoom: Bool { context?.channel.isWritable ?? false }

    /// The two hold each other until the channel has ended. (A weak reference would make every use of the peer slower.)
    func attach(_ peer: any HTTP2Peer) {
        self.peer = peer
    }

    /// Changes the session, and has what it wants to send flushed at the end of the batch.
    func change<Result>(_ body: (inout HTTP2Session) throws(HTTP2Error) -> Result) throws(HTTP2Error) -> Result {
        let result = try body(&session)
        needsFlush()
        return result
    }

    func needsFlush() {
        guard !isDirty, !isEnded else { return }
        isDirty = true
        executor.flushLater(self)
    }

    /// Sends what can be sent, then closes the channel if the session is finished.
    func flush() {
        isDirty = false
        unsent = .zero
        guard let context, !isEnded else { return }
        do throws(HTTP2Error) {
            repeat {
                lendBatch()
                try write(to: context)
                deliver()
            } while session.hasEvents && !isDelivering
        } catch {
            close(because: error.description)
            return
        }
        if session.isFinished { closeWhenSent(because: reason) }
    }

    /// A call that takes less is as soon read as its answer is sent.
    private static let quick: Duration = .microseconds(25)
    private static let mostUnsent: Duration = .microseconds(200)

    /// Says that a call was answered before the next one was read. Who has its answer can go on while those that came with it are being answered, so what
    /// has taken long is sent behind it, and not behind all of them.
    func answeredAtOnce(at now: ContinuousClock.Instant) {
        let duration = lastAnswer.duration(to: now)
        lastAnswer = now
        guard duration >= HTTP2Connection.quick else { return }
        unsent += duration
        guard unsent >= HTTP2Connection.mostUnsent, let context, !isEnded else { return }
        unsent = .zero
        do throws(HTTP2Error) { try write(to: context) } catch { close(because: error.description) }
    }

    /// Closes the channel now; the peer hears of it when the channel says so.
    func close(because reason: String) {
        guard !isEnded else { return }
        self.reason = reason
        context?.close(promise: nil)
    }

    /// Closes the channel when what has been handed to it is sent.
    func closeWhenSent(because reason: String) {
        guard !isEnded, !isClosing, let context else { return }
        isClosing = true
        self.reason = reason
        // An empty write is done when everything before it is.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    /// Frames are gathered into buffers of this size before they are handed to the channel.
    private static let outputBytes = 64 << 10

    private func write(to context: ChannelHandlerContext) throws(HTTP2Error) {
        while session.hasOutput, context.channel.isWritable {
            // The loop's buffer is free again once the channel has sent it.
            let output = try executor.withOutput(capacity: HTTP2Connection.outputBytes) { output throws(HTTP2Error) in
                while output.readableBytes < HTTP2Connection.outputBytes {
                    let count = try session.nextOutput { output.writeBytes($0) }
                    if count == nil { break }
                }
            }
            if output.readableBytes == 0 { break }
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        }
    }

    private func deliver() {
        // An event that is handled may not deliver others in its midst.
        guard !isDelivering else { return }
        isDelivering = true
        while session.hasEvents {
            var batch = executor.takeBatch()
            session.exchange(&batch)
            for event in batch.events { peer?.received(event, in: batch) }
            executor.giveBack(batch)
        }
        isDelivering = false
        if let lent = session.takeBack() { executor.giveBack(lent) }
    }

    /// What a session writes down in belongs to the loop, so that an idle connection holds none of it.
    private func lendBatch() {
        var batch = executor.takeBatch()
        session.lend(&batch)
        executor.giveBack(batch)
    }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        context = nil
        let peer = peer
        self.peer = nil
        peer?.connectionEnded(reason)
    }
}

extension HTTP2Connection {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wasOpen = context.channel.isActive
        if wasOpen, !requiresALPN { needsFlush() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelActive(context: ChannelHandlerContext) {
        wasOpen = true
        if !requiresALPN { needsFlush() }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        lastAnswer = .now
        do throws(HTTP2Error) {
            lendBatch()
            try session.receive(buffer.readableBytesSpan)
            // Headers that trickle in are no sign of life, or they could go on for as long as their sender likes.
            if session.hasEvents || !session.isWithinHeaders { peer?.heard() }
            deliver()
            needsFlush()
        } catch {
            close(because: error.description)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        executor.drain()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { needsFlush() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if requiresALPN, case .handshakeCompleted(let negotiated) = event as? TLSUserEvent {
            if negotiated == "h2" {
                needsFlush()
            } else {
                close(because: "The peer did not agree on HTTP/2.")
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(because: "\(error)")
    }
}
