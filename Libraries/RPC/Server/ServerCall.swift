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
    let requests: InboundMessages

    private let connection: ServerConnection
    /// Only calls that write several messages have one.
    private let gate: WriteGate?
    private var reader: MessageFrameReader
    private var state = ServerStream()
    private var task: Task<Void, Never>?
    private var isStarted = false
    private var request: [UInt8]?
    private var response: [UInt8]?

    init(
        stream: HTTP2StreamID,
        method: MethodTable.Entry,
        context: RPCContext,
        connection: ServerConnection
    ) {
        self.stream = stream
        self.method = method
        self.context = context
        self.connection = connection
        let configuration = connection.configuration
        reader = MessageFrameReader(maxMessageBytes: configuration.maxReceiveMessageBytes)
        gate = method.descriptor.kind.hasSingleResponse ? nil : WriteGate(executor: connection.executor)
        requests = InboundMessages(executor: connection.executor, maxWaitingBytes: configuration.streamWindowBytes / 2)
        requests.returnRoom(to: connection, on: stream)
    }

    var isEnded: Bool { state.isEnded }

    // MARK: What arrives, on the event loop

    /// Starts a handler that reads its requests itself.
    func begin() {
        if !method.descriptor.kind.hasSingleRequest { start() }
    }

    func received(_ bytes: ArraySlice<UInt8>) {
        guard !state.isEnded else {
            connection.returnRoom(bytes.count, on: stream)
            return
        }
        do throws(FrameProblem) {
            try reader.read(bytes) { requests.append($0) }
        } catch {
            end(.failure(RPCError(error)))
            return
        }
        requests.received(bytes.count)
        if method.descriptor.kind.hasSingleRequest, requests.count > 1 { end(.failure(.notOneRequest)) }
    }

    func receivedEnd() {
        state.requestEnded = true
        guard !state.isEnded else { return }
        do throws(FrameProblem) {
            try reader.finish()
        } catch {
            end(.failure(RPCError(error)))
            return
        }
        guard method.descriptor.kind.hasSingleRequest else {
            requests.finish()
            return
        }
        request = requests.take()
        guard request != nil else {
            end(.failure(.notOneRequest))
            return
        }
        start()
    }

    /// The caller, or the connection, has gone.
    func abandon(_ error: RPCError) {
        state.abandon()
        stopHandler(error)
    }

    private func start() {
        isStarted = true
        connection.handlerStarted()
        let deadline = context.deadline
        task = Task.immediate(executorPreference: connection.executor) {
            let result: Result<Void, any Error>
            do {
                try await Deadline.$current.withValue(deadline) { try await self.method.run(self, self.context) }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            self.connection.executor.run { self.handlerEnded(result) }
        }
        if state.isEnded { task = nil }
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
        connection.handlerEnded()
    }

    private func stopHandler(_ error: RPCError) {
        requests.finish(.failure(error), dropsWaiting: true)
        requests.returnRoom(to: nil, on: stream)
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
        if let problem = metadata.firstProblem { result = .failure(RPCError(.internalError, problem)) }
        let trailers =
            switch result {
            case .success: StatusTrailers.ok(metadata)
            case .failure(let error): StatusTrailers.failure(error, metadata.firstProblem == nil ? metadata : [:])
            }
        switch state.end() {
        case .trailersOnly:
            let headers = responseHeaders(onlyTrailers: true) + trailers
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, on: stream, endStream: true)
            }
        case .trailers:
            connection.changeSession { $0.finish(stream, trailers: trailers) }
        case .nothing:
            return
        }
        switch result {
        case .success: stopHandler(RPCError(.cancelled, "The call has ended."))
        case .failure(let error): stopHandler(error)
        }
    }

    /// The whole answer has left; a caller that still sends is told to stop (RFC 9113, section 8.1).
    func responseSent() {
        if !state.requestEnded { connection.changeSession { $0.reset(stream, .noError) } }
    }

    func drained() {
        gate?.open()
    }

    private func send(_ frame: [UInt8]?) -> WriteGate.Outcome {
        switch state.send() {
        case .headersFirst:
            let metadata = context.responseMetadata.contents
            if let problem = metadata.firstProblem {
                let error = RPCError(.internalError, problem)
                state.unsend()
                end(.failure(error))
                return .ended(error)
            }
            let headers = responseHeaders(onlyTrailers: false)
            connection.changeSession { session throws(HTTP2Error) in
                try session.sendResponse(headers, on: stream, endStream: false)
            }
        case .messageAlone: break
        case .nothing: return .ended(RPCError(.cancelled, "The call has ended."))
        }
        guard let frame else { return .mayGoOn }
        connection.changeSession { $0.send(frame, on: stream) }
        return connection.holdBackWriters(of: stream) ? .mustWait : .mayGoOn
    }

    private func responseHeaders(onlyTrailers: Bool) -> [HTTP2Header] {
        var headers = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
        let metadata = context.responseMetadata.contents
        if !onlyTrailers || metadata.firstProblem == nil { StatusTrailers.append(metadata, to: &headers) }
        return headers
    }

    // MARK: What handlers use, on any thread

    func decodeSingleRequest<Request: Message>(as type: Request.Type) throws(RPCError) -> Request {
        guard let request else { throw .notOneRequest }
        do {
            return try Request(decoding: request)
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

    func write(_ message: some Message) async throws(RPCError) {
        let frame = try MessageFrame.encode(message, limit: connection.configuration.maxSendMessageBytes)
        try await gate?.write { self.send(frame) }
    }

    func sendMetadata() async throws(RPCError) {
        try await gate?.write { self.send(nil) }
    }
}

extension RPCError {
    /// gRPC's table of codes that libraries generate names this one for a wrong number of requests.
    static let notOneRequest = RPCError(.unimplemented, "The method takes exactly one request.")
}
