internal import NIOCore
internal import Time

/// One call under a retry or hedging policy: it makes the attempts that `ClientAttempts` decides on, keeps the request
/// so that each can be given all of it, and hands its caller the attempt that counts.
final class RepeatedCall: @unchecked Sendable {
    // Everything mutable is touched on the lane's event loop alone.
    let context: ClientCallContext
    private let lane: ChannelLane
    private let configuration: RPCChannelConfiguration
    private let throttle: SharedThrottle?
    private let buffer: RetryBuffer
    /// Only calls that write several messages have one.
    private let gate: WriteGate?
    private var attempts: ClientAttempts
    private var calls: [Int: ClientCall] = [:]
    private var tried: [RPCAddress] = []
    private var kept: [[UInt8]] = []
    private var keptBytes = 0
    private var requestEnded = false
    private var timer: Scheduled<Void>?
    private var outcome: Result<ClientCall, RPCError>?
    private var chosenAttempt: Int?
    private var waiters: [Waiter] = []

    private typealias Waiter = LoopWaiter<Result<ClientCall, RPCError>>

    init(
        _ repetition: MethodConfig.Repetition,
        context: ClientCallContext,
        lane: ChannelLane,
        configuration: RPCChannelConfiguration,
        throttle: SharedThrottle?,
        buffer: RetryBuffer
    ) {
        self.context = context
        self.lane = lane
        self.configuration = configuration
        self.throttle = throttle
        self.buffer = buffer
        attempts = ClientAttempts(repetition)
        gate = context.method.kind.hasSingleRequest ? nil : WriteGate(executor: lane.executor)
    }

    private var mayRepeat: Bool { throttle?.allowsRetries ?? true }

    // MARK: The request, on the event loop

    /// Sends the call, with its only message if it has just one.
    func begin(_ frame: [UInt8]?) {
        guard outcome == nil else { return }
        if let frame {
            _ = keep(frame)
            requestEnded = true
        }
        perform(attempts.begin(mayRepeat: mayRepeat))
    }

    private func send(_ frame: [UInt8]) -> WriteGate.Outcome {
        switch outcome {
        case .failure(let error): return .ended(error)
        case .success(let call): return call.send(frame)
        case nil: break
        }
        let fits = keep(frame)
        let open = calls.sorted { $0.key < $1.key }.filter { !$0.value.isEnded }
        for (_, call) in open { _ = call.send(frame) }
        if fits { return .mayGoOn }
        let furthest = open.first { $0.value.connection != nil } ?? open.first
        perform(attempts.bufferOverflowed(furthest: furthest?.key))
        return outcome == nil ? .mustWait : .mayGoOn
    }

    /// Whether the call and the channel keep no more than they may.
    private func keep(_ frame: [UInt8]) -> Bool {
        kept.append(frame)
        keptBytes += frame.count
        let channelHasRoom = buffer.keep(frame.count)
        return channelHasRoom && keptBytes <= configuration.maxRetryBufferBytes
    }

    private func finishSending() {
        requestEnded = true
        switch outcome {
        case .failure: break
        case .success(let call): call.finishSending()
        case nil: for call in calls.values { call.finishSending() }
        }
    }

    func write(_ message: some Message, limit: Int, compressed: Bool?) async throws(RPCError) {
        var frame = try MessageFrame.encode(message, limit: limit)
        if context.compression != nil, compressed ?? true { frame = await MessageFrame.packed(frame) }
        try await gate?.write { [frame] in self.send(frame) }
    }

    func finishSendingFromAnywhere() {
        lane.executor.run { self.finishSending() }
    }

    // MARK: What its attempts report, on the event loop

    func answerBegan(_ attempt: Int) {
        guard outcome == nil else { return }
        perform(attempts.answerBegan(attempt))
    }

    func drained(_ attempt: Int) {
        if case .success = outcome { gate?.open() }
    }

    func attemptEnded(_ attempt: Int, _ result: Result<Void, RPCError>) {
        let end: ClientAttempts.End =
            switch result {
            case .success: .ok
            case .failure(let error): .failed(error.code, Pushback(error.trailers))
            }
        if outcome != nil {
            // The others were cancelled here, which says nothing about the server.
            guard attempt == chosenAttempt else { return }
            count(end)
            if case .success(let call) = outcome { takeOver(call) }
            gate?.close(result.failure ?? RPCError(.cancelled, "The call has ended."))
            return
        }
        count(end)
        if let connection = calls[attempt]?.connection { tried.append(connection.address) }
        if let deadline = context.deadline, deadline.hasPassed {
            perform(attempts.answerBegan(attempt))
            return
        }
        let actions = attempts.ended(attempt, end, chance: Double.random(in: 0...1), mayRepeat: mayRepeat)
        // Nobody is served by waiting for a deadline when it is known what the failure is.
        let isLast = pausesBeyondDeadline(actions) && calls.values.allSatisfy { $0.isEnded }
        perform(isLast ? attempts.answerBegan(attempt) : actions)
    }

    private func pausesBeyondDeadline(_ actions: [ClientAttempts.Action]) -> Bool {
        guard case .pause(let duration)? = actions.first, let deadline = context.deadline else { return false }
        return deadline.remaining <= duration
    }

    private func count(_ end: ClientAttempts.End) {
        guard let throttle else { return }
        if end == .ok { throttle.succeeded() } else if attempts.countsAsFailure(end) { throttle.failed() }
    }

    // MARK: What is decided

    private func perform(_ actions: [ClientAttempts.Action]) {
        for action in actions where outcome == nil {
            switch action {
            case .start(let number): start(number)
            case .pause(let duration): pause(duration)
            case .commit(let number): commit(number)
            }
        }
    }

    private func start(_ number: Int) {
        let call = ClientCall(
            context: context.attempt(number), executor: lane.executor, configuration: configuration, repeated: (self, number))
        call.tried = tried
        // Two attempts at one time are for two servers.
        for other in calls.values { if let connection = other.connection { call.tried.append(connection.address) } }
        calls[number] = call
        for frame in kept { _ = call.send(frame) }
        if requestEnded { call.finishSending() }
        lane.start(call)
    }

    private func pause(_ duration: Duration) {
        timer?.cancel()
        let wait = min(duration, max(.zero, context.deadline?.remaining ?? duration))
        timer = lane.executor.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) {
            if let deadline = self.context.deadline, deadline.hasPassed {
                self.finish(.failure(.deadlinePassed))
            } else {
                self.perform(self.attempts.pauseEnded(mayRepeat: self.mayRepeat))
            }
        }
    }

    private func commit(_ number: Int) {
        guard let call = calls[number] else { return }
        chosenAttempt = number
        takeOver(call)
        finish(.success(call))
        if call.isEnded { gate?.close(call.failure ?? RPCError(.cancelled, "The call has ended.")) } else { gate?.open() }
    }

    /// What the caller reads about the call is what is known of the chosen attempt.
    private func takeOver(_ call: ClientCall) {
        context.responseMetadata.replace(with: call.context.responseMetadata.contents)
        context.trailingMetadata.replace(with: call.context.trailingMetadata.contents)
        if let bytes = call.context.messageBytes { context.holder.note(bytes) }
    }

    private func finish(_ outcome: Result<ClientCall, RPCError>) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        timer?.cancel()
        timer = nil
        kept = []
        buffer.release(keptBytes)
        keptBytes = 0
        let calls = calls
        self.calls = [:]
        for (number, call) in calls where number != chosenAttempt { call.cancel() }
        if let error = outcome.failure { gate?.close(error) }
        answer(outcome)
    }

    private func cancel() {
        if case .success(let call) = outcome { call.cancel() } else { finish(.failure(.cancelledByCaller)) }
    }

    // MARK: What its caller uses, on any thread

    /// The attempt that counts, once it is known. Cancelling the task ends the wait and not the call.
    func chosen() async throws(RPCError) -> ClientCall {
        let waiter = Waiter()
        let result: Result<ClientCall, RPCError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                lane.executor.run { self.park(waiter, continuation) }
            }
        } onCancel: {
            lane.executor.run { self.giveUp(waiter) }
        }
        return try result.get()
    }

    private func park(_ waiter: Waiter, _ continuation: CheckedContinuation<Result<ClientCall, RPCError>, Never>) {
        if let outcome {
            continuation.resume(returning: outcome)
        } else if waiter.isCancelled {
            continuation.resume(returning: .failure(.cancelledByCaller))
        } else {
            waiter.continuation = continuation
            waiters.append(waiter)
        }
    }

    private func giveUp(_ waiter: Waiter) {
        waiter.isCancelled = true
        guard let index = waiters.firstIndex(where: { $0 === waiter }) else { return }
        waiters.remove(at: index)
        waiter.continuation?.resume(returning: .failure(.cancelledByCaller))
    }

    /// Sends the call and waits for the one message that answers it. Cancelling the task cancels the call.
    func singleResponse(_ frame: [UInt8]?) async throws(RPCError) -> ReceivedMessage {
        let result: Result<ClientCall, RPCError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                lane.executor.run {
                    self.park(Waiter(), continuation)
                    self.begin(frame)
                }
            }
        } onCancel: {
            cancelFromAnywhere()
        }
        return try await result.get().singleResponse(over: nil)
    }

    private func answer(_ outcome: Result<ClientCall, RPCError>) {
        let waiters = waiters
        self.waiters = []
        for waiter in waiters { waiter.continuation?.resume(returning: outcome) }
    }

    func cancelFromAnywhere() {
        lane.executor.run { self.cancel() }
    }
}
