internal import NIOCore

/// One connection, on its event loop: commands out, replies in, in order.
///
/// Everything that can go wrong ends in `close`: the channel goes, and every request that was sent fails with an
/// error that says that its outcome is unknown.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var queue: ReplyQueue
    private var reader: RESPReader
    private var context: ChannelHandlerContext?
    private var timer: (at: NIODeadline, task: Scheduled<Void>)?
    private var isDraining = false
    /// Takes what is published on channels that the connection is subscribed to.
    var onMessage: ((_ message: [UInt8]) -> Void)?
    /// Why the connection ended, if not because the server closed it.
    private(set) var closeReason: (any Error)?

    init(reader: consuming RESPReader, commandTimeout: TimeAmount) {
        queue = ReplyQueue(stallTimeout: commandTimeout)
        self.reader = reader
    }

    /// Whether requests can be written: from the moment the channel is up until it goes or is being drained.
    var isOpen: Bool { context?.channel.isActive == true && closeReason == nil && !isDraining }

    /// Writes requests with one flush, in their order but for those that share a script's run. Those that were settled
    /// meanwhile are left out.
    func send(_ requests: [RedisRequest]) {
        guard let context else {
            for request in requests { lose(.one(request), cause: ChannelError.ioOnClosedChannel, wasSent: false) }
            return
        }
        let waiting = requests.filter { request in
            if request.beginSending() { return true }
            request.release()
            return false
        }
        guard let firstDeadline = waiting.lazy.map(\.deadline).min() else { return }
        let now = NIODeadline.now()
        var buffer = context.channel.allocator.buffer(capacity: waiting.reduce(64) { $0 + $1.byteCount })
        for write in RedisWrite.grouping(waiting) {
            write.write(to: &buffer)
            queue.sent(write, at: now)
        }
        context.writeAndFlush(NIOAny(buffer), promise: nil)
        setTimer(at: min(firstDeadline, queue.stallsAt), context)
    }

    /// Lets the replies come in that somebody waits for, bounded by their timeouts, then closes.
    func drain() {
        isDraining = true
        if !queue.isAwaited { context?.close(promise: nil) }
    }

    /// Ends the connection now.
    func close(_ reason: any Error) {
        if closeReason == nil { closeReason = reason }
        context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard closeReason == nil else { return }
        var buffer = unwrapInboundIn(data)
        let now = NIODeadline.now()
        do {
            // hiredis moves the rest of its buffer with every 1,024 bytes that it has read: small portions keep that
            // rest small.
            while let portion = buffer.readSlice(length: min(buffer.readableBytes, 16_384)), portion.readableBytes > 0 {
                try reader.feed(portion.readableBytesSpan)
                while let reply = try reader.next() {
                    if let onMessage, let message = RedisChannelHandler.message(in: reply) {
                        onMessage(message)
                        continue
                    }
                    try queue.received(reply, at: now)?.release()
                }
            }
        } catch {
            close(RedisError(.protocolViolation, "Redis sent something that is no valid reply: \(error.description)."))
            return
        }
        if isDraining, queue.isEmpty { context.close(promise: nil) }
    }

    /// What a push of RESP2 carries: `message`, the channel, the bytes. Everything else is a reply.
    private static func message(in reply: RESPValue) -> [UInt8]? {
        guard case .array(let parts) = reply, parts.count == 3, parts[0].text == "message" else { return nil }
        return parts[2].bytes
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(error) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timer?.task.cancel()
        let cause = closeReason ?? ChannelError.eof
        for write in queue.removeAll() { lose(write, cause: cause, wasSent: true) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let cause = closeReason ?? ChannelError.eof
        for write in queue.removeAll() { lose(write, cause: cause, wasSent: true) }
        context.fireChannelInactive()
    }

    private func lose(_ write: RedisWrite, cause: any Error, wasSent: Bool) {
        write.fail { name in
            wasSent
                ? .outcomeUnknown(name, cause: cause)
                : RedisError(.connectionFailed, "\(name) was not sent: the connection is gone.", cause: cause)
        }
        write.release()
    }

    /// Sees to it that the timer fires no later than this. It may fire too early, and is then set anew: with one
    /// timeout for all, that is once in a timeout and not once in a command.
    private func setTimer(at expiry: NIODeadline, _ context: ChannelHandlerContext) {
        if let timer, timer.at <= expiry { return }
        timer?.task.cancel()
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: expiry) { self.timerFired() }
        timer = (expiry, task)
    }

    private func timerFired() {
        timer = nil
        guard let context else { return }
        if queue.expire(at: .now()) {
            close(RedisError(.timeout, "Redis has been silent for too long; the connection is given up."))
        } else if isDraining, !queue.isAwaited {
            context.close(promise: nil)
        } else if let next = queue.nextExpiry {
            setTimer(at: next, context)
        }
    }
}
