internal import HTTP2
internal import Logging
internal import Synchronization
internal import Time

/// One call that a server answers, from its headers to its status.
final class ServerCall: @unchecked Sendable {
    // What is `var` is touched on the connection's event loop alone, but for `request` and `response`: the first is set
    // before the handler starts, the second by the handler, and each is read after the other side has let go of it.
    let stream: HTTP2StreamID
    let method: MethodTable.Entry
    let context: RPCContext
    /// Only calls whose caller sends several messages have them.
    private let requests: InboundMessages?

    private let connection: ServerConnection
    private let peerCompression: PeerCompression
    /// Only calls that write several messages have one.
    private let gate: WriteGate?
    private var reader: MessageFrameReader
    private var state = ServerStream()
    private var task: Task<Void, Never>?
    private var isRunning = false
    private var isOrphaned = false
    private var request: ReceivedMessage?
    private var response: [UInt8]?
    private let began: ContinuousClock.Instant
    private var requestBytes = 0
    private var responseBytes = 0

    init(
        stream: HTTP2StreamID,
        method: MethodTable.Entry,
        context: RPCContext,
        compression: PeerCompression,
        began: ContinuousClock.Instant,
        connection: ServerConnection
    ) {
        self.stream = stream
        self.method = method
        self.context = context
        self.connection = connection
        peerCompression = compression
        self.began = began
        reader = MessageFrameReader(maxMessageBytes: connection.configuration.maxReceiveMessageBytes)
        reader.acceptsCompressed = compression.encoding != .identity
        gate = method.descriptor.kind.hasSingleResponse ? nil : WriteGate(executor: connection.executor)
        if method.descriptor.kind.hasSingleRequest {
            requests = nil
        } else {
            let requests = InboundMessages(
                executor: connection.executor, maxWaitingBytes: connection.configuration.streamWindowBytes / 2,
                maxMessageBytes: connection.configuration.maxReceiveMessageBytes)
            requests.returnRoom(to: connection, on: stream)
            self.requests = requests
        }
    }

    var isEnded: Bool { state.isEnded }

    // MARK: What arrives, on the event loop

    /// Starts a handler that reads its requests itself.
    func begin() {
        if requests != nil { start() }
    }

    func received(_ bytes: RawSpan) {
        guard !state.isEnded else {
            connection.returnRoomEverywhere(bytes.byteCount, on: stream)
            return
        }
        requestBytes += bytes.byteCount
        if let requests {
            connection.returnRoomOnConnection(bytes.byteCount)
            do throws(FrameProblem) {
                try reader.read(bytes) {
                    connection.counts.messagesReceived += 1
                    requests.append($0)
                }
            } catch {
                end(.failure(RPCError(error)))
                return
            }
            requests.received(bytes.byteCount)
        } else {
            receivedSingle(bytes)
        }
    }

    /// The one request is kept whole before its handler starts, so all of it may come.
    private func receivedSingle(_ bytes: RawSpan) {
        connection.returnRoomEverywhere(bytes.byteCount, on: stream)
        var isOne = true
        do throws(FrameProblem) {
            try reader.read(bytes) { message in
                connection.counts.messagesReceived += 1
                if request == nil { request = message } else { isOne = false }
            }
        } catch {
            end(.failure(RPCError(error)))
            return
        }
        if !isOne { end(.failure(.notOneRequest)) }
    }

    func receivedEnd() {
        guard !state.isEnded else { return }
        do throws(FrameProblem) {
            try reader.finish()
        } catch {
            end(.failure(RPCError(error)))
            return
        }
        if let requests {
            requests.finish()
        } else if request != nil {
            start()
        } else {
            end(.failure(.notOneRequest))
        }
    }

    /// The stream is gone. Whether the handler still runs, and so goes on without it.
    func lostStream() -> Bool {
        isOrphaned = isRunning
        return isRunning
    }

    /// The caller, or the connection, has gone.
    func abandon(_ error: RPCError) {
        if !state.isEnded { connection.counts.callEnded(false) }
        state.abandon()
        report(error)
        stopHandler(error)
    }

    private func start() {
        isRunning = true
        connection.handlerStarted()
        if let request, request.isCompressed { context.noteCompressedRequest() }
        // A task begins with the values of where it is made, which is cheaper than to set them within it.
        task = CurrentTask.$scope.withValue(context.scope) {
            Task.immediate(executorPreference: connection.executor) { await self.runHandler() }
        }
        if state.isEnded { task = nil }
    }

    private func runHandler() async {
        let result: Result<Void, any Error>
        do {
            try await method.run(self, context)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        if connection.executor.isCurrent {
            handlerEnded(result)
        } else {
            connection.executor.run { self.handlerEnded(result) }
        }
    }

    private func handlerEnded(_ result: Result<Void, any Error>) {
        task = nil
        switch result {
        case .success: end(.success(()))
        case .failure(let error):
            let failure = RPCError(caught: error)
            if !state.isEnded { connection.log(failure, of: context) }
            end(.failure(failure))
        }
        isRunning = false
        connection.handlerEnded(isOrphaned: isOrphaned)
    }

    private func stopHandler(_ error: RPCError) {
        requests?.finish(.failure(error), dropsWaiting: true)
        requests?.returnRoom(to: nil, on: stream)
        gate?.close(error)
        task?.cancel()
        task = nil
    }

    // MARK: The answer, on the event loop

    /// Sends the status, unless the call already has one, and stops the handler if it still runs.
    func end(_ result: Result<Void, RPCError>) {
        var result = result
        if case .success = result, method.descriptor.kind.hasSingleResponse, response == nil {
            result = .failure(RPCError(.internalError, "The method ended without an answer."))
        }
        if case .success = result, let response {
            self.response = nil
            _ = send(response)
        }
        let metadata = context.trailingMetadata.contents
        if !metadata.isEmpty, let problem = metadata.firstProblem {
            finish(.failure(RPCError(.internalError, problem)), [:])
        } else {
            finish(result, metadata)
        }
    }

    private func finish(_ result: Result<Void, RPCError>, _ metadata: Metadata) {
        let ending = state.end()
        if ending == .nothing { return }
        connection.counts.callEnded(result.failure == nil)
        let fixed: HTTP2FixedFields?
        let trailers: [HTTP2Header]
        switch result {
        case .success: (fixed, trailers) = (StatusTrailers.ok, StatusTrailers.fields(metadata))
        case .failure(let error): (fixed, trailers) = (nil, StatusTrailers.failure(error, metadata))
        }
        if ending == .trailersOnly {
            // Response metadata goes along, unless it is what went wrong.
            let metadata = context.responseMetadata.contents
            var headers = metadata.firstProblem == nil ? StatusTrailers.fields(metadata) : []
            if case .success = result { headers.append(HTTP2Header("grpc-status", "0")) }
            headers += trailers
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, after: StatusTrailers.responseHead, on: stream, endStream: true)
            }
        } else {
            connection.changeSession { $0.finish(stream, trailers: trailers, after: fixed) }
        }
        report(result.failure)
        switch result {
        case .success: stopHandler(RPCError(.cancelled, "The call has ended."))
        case .failure(let error): stopHandler(error)
        }
    }

    private func report(_ error: RPCError?) {
        if method.meters.isEmpty { return }
        let record = CallRecord(
            context: context, peer: context.peer, error: error, duration: began.duration(to: .now),
            requestBytes: requestBytes, responseBytes: responseBytes)
        for meter in method.meters { meter.ended(record) }
    }

    func drained() {
        gate?.open()
    }

    private func send(_ frame: [UInt8]?) -> WriteGate.Outcome {
        switch state.send() {
        case .headersFirst:
            let metadata = context.responseMetadata.contents
            if !metadata.isEmpty, let problem = metadata.firstProblem {
                let error = RPCError(.internalError, problem)
                state.unsend()
                end(.failure(error))
                return .ended(error)
            }
            var headers = StatusTrailers.fields(metadata)
            if context.responseMetadata.settleCompression(), peerCompression.accepts == .gzip {
                headers.append(HTTP2Header("grpc-encoding", "gzip"))
            }
            let head =
                peerCompression.accepts == .unsaid
                ? StatusTrailers.responseHead : StatusTrailers.responseHeadWithEncodings
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, after: head, on: stream, endStream: false)
            }
        case .messageAlone: break
        case .nothing: return .ended(RPCError(.cancelled, "The call has ended."))
        }
        guard let frame else { return .mayGoOn }
        responseBytes += frame.count
        connection.counts.messagesSent += 1
        connection.changeSession { $0.send(frame, on: stream) }
        return connection.holdBackWriters(of: stream) ? .mustWait : .mayGoOn
    }

    // MARK: What handlers use, on any thread

    func requestStream<Request: Message>(of type: Request.Type) -> RequestStream<Request> {
        guard let requests else { preconditionFailure("\(method.descriptor.path) has a single request") }
        return RequestStream(requests)
    }

    func decodeSingleRequest<Request: Message>(as type: Request.Type) throws(RPCError) -> Request {
        guard let request else { throw .notOneRequest }
        do {
            return try Request(decoding: request.bytes)
        } catch {
            // gRPC's list of status codes has INTERNAL for a request that cannot be parsed.
            throw RPCError(
                error.isWellFormed ? .invalidArgument : .internalError,
                "The message \(error.messageName) could not be read: \(error.reason)", cause: error)
        }
    }

    func setSingleResponse(_ message: some Message) throws(RPCError) {
        response = try MessageFrame.encode(message, limit: connection.configuration.maxSendMessageBytes)
    }

    func write(_ message: some Message, compressed: Bool?) async throws(RPCError) {
        var frame = try MessageFrame.encode(message, limit: connection.configuration.maxSendMessageBytes)
        if packsResponses(compressed) { frame = await MessageFrame.packed(frame) }
        try await gate?.write { [frame] in self.send(frame) }
    }

    func sendMetadata() async throws(RPCError) {
        try await gate?.write { self.send(nil) }
    }
}

extension ServerCall {
    var requestIsCompressed: Bool { request?.isCompressed ?? false }

    func unpackRequest() async throws(RPCError) {
        guard let packed = request else { return }
        request = ReceivedMessage(bytes: try await packed.unpacked(limit: connection.configuration.maxReceiveMessageBytes))
    }

    /// Whether a message is packed: as it is asked for it, or else for the whole answer, and only for a caller that reads it.
    func packsResponses(_ asked: Bool? = nil) -> Bool {
        guard peerCompression.accepts == .gzip, asked ?? context.responseMetadata.asksForCompression else { return false }
        return context.responseMetadata.askForCompression()
    }

    func packSingleResponse() async {
        if let frame = response { response = await MessageFrame.packed(frame) }
    }
}

extension RPCError {
    /// gRPC's table of codes that libraries generate names this one for a wrong number of requests.
    static let notOneRequest = RPCError(.unimplemented, "The method takes exactly one request.")
}
