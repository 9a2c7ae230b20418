internal import HTTP2
internal import Time

/// One call that a client makes, from the wish to send it to its status.
@safe
final class ClientCall: @unchecked Sendable {
    // What is `var` is touched on the executor's event loop alone.
    let context: ClientCallContext
    let responses: InboundMessages
    /// The call that this is an attempt of, and which, where there may be several. Gone when the attempt has ended.
    var repeated: (call: RepeatedCall, attempt: Int)?
    /// Addresses that should not be asked once more while there are others.
    var tried: [RPCAddress] = []

    private let executor: LoopExecutor
    /// Only calls that write several messages have one.
    private let gate: WriteGate?
    private var reader: MessageFrameReader
    private var state: ClientStream
    private var frames: [[UInt8]] = []
    private var requestBytes = 0
    private var responseBytes = 0
    private var requestEnded = false
    private(set) var connection: ClientConnection?
    private var stream: HTTP2StreamID = 0
    private var result: Result<Void, RPCError>?
    private var whenEnded: UnsafeContinuation<Result<ReceivedMessage, RPCError>, Never>?

    /// An attempt of a repeated call leaves it to that call to hold writers back.
    init(
        context: ClientCallContext,
        executor: LoopExecutor,
        configuration: RPCChannelConfiguration,
        repeated: (call: RepeatedCall, attempt: Int)? = nil
    ) {
        self.context = context
        self.executor = executor
        self.repeated = repeated
        gate = context.method.kind.hasSingleRequest || repeated != nil ? nil : WriteGate(executor: executor)
        let limit = min(configuration.maxReceiveMessageBytes, context.plan?.maxResponseMessageBytes ?? .max)
        reader = MessageFrameReader(maxMessageBytes: limit)
        state = ClientStream(maxTransparentRetries: configuration.maxTransparentRetries)
        responses = InboundMessages(
            .responses, executor: executor,
            maxWaitingBytes: configuration.streamWindowBytes / 2,
            maxMessageBytes: limit
        )
    }

    var isEnded: Bool { state.isEnded }
    /// How it failed, if it has.
    var failure: RPCError? { result?.failure }

    // MARK: The request

    /// What a client keeps of a stream of requests, so that it can be sent again if the server never began it.
    private static let maxKeptBytes = 64 << 10

    func send(_ frame: [UInt8]) -> WriteGate.Outcome {
        if let result { return .ended(result.failure ?? .cancelledByCaller) }
        requestBytes += frame.count
        if requestBytes > ClientCall.maxKeptBytes, !context.method.kind.hasSingleRequest { state.canBeRepeated = false }
        if connection == nil || state.canBeRepeated {
            frames.append(frame)
        } else {
            frames = []
        }
        guard let connection else { return requestBytes > WriteGate.maxPendingBytes ? .mustWait : .mayGoOn }
        connection.counts.messagesSent.add(at: executor.batchTime)
        connection.changeSession { $0.send(frame, on: stream) }
        return connection.holdBackWriters(of: stream) ? .mustWait : .mayGoOn
    }

    func finishSending() {
        guard !requestEnded else { return }
        requestEnded = true
        connection?.changeSession { $0.finish(stream) }
    }

    func write(_ message: some Message, limit: Int, compressed: Bool?) async throws(RPCError) {
        var frame = try MessageFrame.encode(message, limit: limit)
        if context.compression != nil, compressed ?? true { frame = await MessageFrame.packed(frame) }
        try await gate?.write { [frame] in self.send(frame) }
    }

    /// A connection has begun the stream; what was kept so far goes out.
    func sent(on connection: ClientConnection, as stream: HTTP2StreamID) {
        state.sent()
        self.connection = connection
        self.stream = stream
        responses.returnRoom(to: connection, on: stream)
        connection.counts.messagesSent.add(frames.count, at: executor.batchTime)
        connection.changeSession { session in
            for frame in frames { session.send(frame, on: stream) }
            if requestEnded { session.finish(stream) }
        }
        if !state.canBeRepeated { frames = [] }
        if !connection.holdBackWriters(of: stream) { drained() }
    }

    // MARK: The response

    func received(_ fields: Range<Int>, of batch: HTTP2Batch, endStream: Bool, isTruncated: Bool) {
        if isTruncated {
            let message = "The server's metadata is larger than the client accepts."
            end(.failure(RPCError(.resourceExhausted, message)), reset: true)
            return
        }
        context.compression?.heard(fields, of: batch)
        let isFirst = state.expectsFirstHeaders
        let head =
            isFirst
            ? ResponseHead(first: fields, of: batch, endStream: endStream)
            : ResponseHead(trailers: fields, of: batch)
        switch head {
        case .ignored: break
        case .begun(let metadata, let encoding):
            state.begun()
            reader.acceptsCompressed = encoding != .identity
            frames = []
            context.responseMetadata.replace(with: metadata)
            if let repeated { repeated.call.answerBegan(repeated.attempt) }
        case .ended(let status, let trailers):
            context.trailingMetadata.replace(with: trailers)
            var status = status
            if case .success = status {
                if context.method.kind.hasSingleResponse, responses.count != 1 { status = .failure(.notOneResponse) }
                do throws(FrameProblem) { try reader.finish() } catch { status = .failure(RPCError(error)) }
            }
            end(status, reset: !endStream)
        }
    }

    func received(_ bytes: RawSpan) {
        guard !state.isEnded else { return }
        responseBytes += bytes.byteCount
        do throws(FrameProblem) {
            try reader.read(bytes) {
                if let connection { connection.counts.messagesReceived.add(at: executor.batchTime) }
                responses.append($0)
            }
        } catch {
            end(.failure(RPCError(error)), reset: true)
            return
        }
        responses.received(bytes.byteCount)
        if context.method.kind.hasSingleResponse, responses.count > 1 { end(.failure(.notOneResponse), reset: true) }
    }

    func receivedEnd() {
        end(.failure(.noStatus), reset: false)
    }

    func drained() {
        gate?.open()
        if let repeated { repeated.call.drained(repeated.attempt) }
    }

    /// The stream is gone. Whether the call should be sent again.
    func streamClosed(_ code: HTTP2ErrorCode, unseen: ClientStream.Unseen?) -> Bool {
        if let unseen, state.unseen(unseen) {
            connection = nil
            return true
        }
        end(.failure(ResetMapping.error(code)), reset: false)
        return false
    }

    // MARK: The end

    /// Ends the call for its caller, and on the wire where the server would otherwise go on.
    func end(_ result: Result<Void, RPCError>, reset: Bool) {
        guard state.end() else { return }
        self.result = result
        if let connection {
            context.holder.note(MessageBytes(request: requestBytes, response: responseBytes))
            if reset {
                connection.changeSession { $0.reset(stream, .cancel) }
            } else if !requestEnded || result.failure != nil {
                endRequest(on: connection)
            }
        }
        connection?.counts.callEnded(result.failure == nil)
        connection?.callEnded(stream, result)
        frames = []
        gate?.close(result.failure ?? RPCError(.cancelled, "The call has ended."))
        // What it makes of the end is in place before anybody hears of it.
        if let repeated {
            self.repeated = nil
            repeated.call.attemptEnded(repeated.attempt, result)
        }
        if let whenEnded = unsafe whenEnded {
            unsafe self.whenEnded = nil
            unsafe whenEnded.resume(returning: singleResponse(result))
        }
        responses.finish(result, dropsWaiting: reset)
        responses.returnRoom(to: nil, on: stream)
    }

    /// The server has ended its side. What is still to come of the request is for nobody, and servers may leave it to their
    /// callers to end it (RFC 9113, section 8.1); a stream that stays open counts against the server's limit.
    private func endRequest(on connection: ClientConnection) {
        if connection.http.session.pendingBytes(on: stream) > 0 {
            connection.changeSession { $0.reset(stream, .cancel) }
        } else if !requestEnded {
            connection.changeSession { $0.finish(stream) }
        }
        requestEnded = true
    }

    private func singleResponse(_ result: Result<Void, RPCError>) -> Result<ReceivedMessage, RPCError> {
        if let error = result.failure { return .failure(error) }
        guard let message = responses.take() else { return .failure(.notOneResponse) }
        return .success(message)
    }

    func cancel() {
        end(.failure(.cancelledByCaller), reset: true)
    }

    /// Sends the call over the lane, with its only message if it has just one, and waits for its end and the one message
    /// that answers it. A call that has been sent already is given no lane. Cancelling the task cancels the call.
    func singleResponse(
        to frame: [UInt8]? = nil, over lane: ChannelLane?
    ) async throws(RPCError) -> ReceivedMessage {
        let result = await withTaskCancellationHandler {
            // Its end resumes it, and a call ends once (`ClientStream`).
            await unsafe withUnsafeContinuation { continuation in
                if executor.isCurrent {
                    unsafe begin(frame, over: lane, continuation)
                } else {
                    executor.run { unsafe self.begin(frame, over: lane, continuation) }
                }
            }
        } onCancel: {
            executor.run { self.cancel() }
        }
        return try result.get()
    }

    private func begin(
        _ frame: [UInt8]?, over lane: ChannelLane?,
        _ continuation: UnsafeContinuation<Result<ReceivedMessage, RPCError>, Never>
    ) {
        if !isEnded, let lane {
            if let frame {
                _ = send(frame)
                finishSending()
            }
            lane.start(self)
        }
        if let result {
            unsafe continuation.resume(returning: singleResponse(result))
        } else {
            unsafe whenEnded = continuation
        }
    }

    func cancelFromAnywhere() {
        executor.run { self.cancel() }
    }

    func finishSendingFromAnywhere() {
        executor.run { self.finishSending() }
    }
}
