internal import HTTP2
internal import Logging
internal import Synchronization
internal import Time

/// One call that a server answers, from its headers to its status.
final class ServerCall: @unchecked Sendable {
    // What is `var` is touched on the connection's event loop alone, but for `request` and `response`: the first is set
    // before the handler starts, the second by the handler, and each is read after the other side has let go of it. `context`
    // changes only when a handler has ended that left nothing behind which looks at it.
    let stream: HTTP2StreamID
    let method: MethodTable.Entry
    private(set) var context: RPCContext
    /// Only calls whose caller sends several messages have them.
    let requests: InboundMessages?

    let connection: ServerConnection
    let peerCompression: PeerCompression
    /// Only calls that write several messages have one.
    let gate: WriteGate?
    private var reader: MessageFrameReader
    private let metadataBytes: Int
    /// What counts as kept of the request while it is unfinished.
    private var keptBytes = 0
    var state = ServerStream()
    private var task: Task<Void, Never>?
    private var isRunning = false
    private var isOrphaned = false
    var request: ReceivedMessage?
    var response: [UInt8]?
    let began: ContinuousClock.Instant
    /// When it had its status, if anybody times it.
    var ended: ContinuousClock.Instant?
    var requestBytes = 0
    var responseBytes = 0

    init(
        stream: HTTP2StreamID,
        method: MethodTable.Entry,
        context: RPCContext,
        metadataBytes: Int,
        compression: PeerCompression,
        began: ContinuousClock.Instant,
        connection: ServerConnection
    ) {
        self.stream = stream
        self.method = method
        self.context = context
        self.metadataBytes = metadataBytes
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
                .requests, executor: connection.executor, maxWaitingBytes: connection.configuration.streamWindowBytes / 2,
                maxMessageBytes: connection.configuration.maxReceiveMessageBytes)
            requests.returnRoom(to: connection, on: stream)
            self.requests = requests
        }
    }

    var isEnded: Bool { state.isEnded }

    /// Whether its one request has not come whole.
    var awaitsRequest: Bool { requests == nil && !isRunning }

    // MARK: What arrives, on the event loop

    /// Starts a handler that reads its requests itself; others wait until theirs is whole.
    func begin() {
        if requests != nil { start() } else { countKept() }
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
                    connection.counts.messagesReceived.add(at: connection.executor.batchTime)
                    requests.append($0)
                }
            } catch {
                end(.failure(RPCError(error)))
                return
            }
            requests.received(bytes.byteCount)
            countKept()
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
                connection.counts.messagesReceived.add(at: connection.executor.batchTime)
                if request == nil { request = message } else { isOne = false }
            }
        } catch {
            end(.failure(RPCError(error)))
            return
        }
        if isOne { countKept() } else { end(.failure(.notOneRequest)) }
    }

    /// Counts what is kept of the request. Where there is no room for it the call ends, and the others go on.
    private func countKept() {
        var count = reader.unfinishedBytes
        if requests == nil { count += metadataBytes + (request?.bytes.count ?? 0) }
        if count == keptBytes { return }
        guard connection.unfinished.change(from: keptBytes, to: count) else { return end(.failure(.noRoomForRequest)) }
        keptBytes = count
    }

    /// The request is its handler's, or nobody's.
    private func stopCounting() {
        if keptBytes == 0 { return }
        _ = connection.unfinished.change(from: keptBytes, to: 0)  // Fewer always can be kept.
        keptBytes = 0
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
        stopCounting()
        connection.handlerStarted()
        if let request { context.note(request, limit: connection.configuration.maxReceiveMessageBytes) }
        // A task begins with the values of where it is made, which is cheaper than to set them within it.
        task = CurrentTask.$scope.withValue(context.scope) {
            Task.immediate(executorPreference: connection.executor) { await self.runHandler() }
        }
        if state.isEnded {
            task = nil
            if let ended { connection.http.answeredAtOnce(at: ended) }
        }
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
        forgetMessages()
        connection.handlerEnded(isOrphaned: isOrphaned)
    }

    /// More than this is not kept for a caller that leaves its answer untaken.
    private static let maxKeptRequestBytes = 16 << 10

    /// Lets go of what only the handler needed. One that writes several messages may have left others behind that look at the context.
    private func forgetMessages() {
        response = nil
        guard gate == nil, let request, request.bytes.count > ServerCall.maxKeptRequestBytes else { return }
        self.request = nil
        context.forgetRequest()
    }

    func stopHandler(_ error: RPCError) {
        reader = MessageFrameReader(maxMessageBytes: 0)
        if !isRunning { request = nil }
        stopCounting()
        requests?.finish(.failure(error), dropsWaiting: true)
        requests?.returnRoom(to: nil, on: stream)
        gate?.close(error)
        task?.cancel()
        task = nil
    }
}

extension RPCError {
    /// gRPC's table of codes that libraries generate names this one for a wrong number of requests.
    static let notOneRequest = RPCError(.unimplemented, "The method takes exactly one request.")
}
