internal import HTTP2

/// Lets the peer of a stream send so many more bytes.
protocol RoomGiver: AnyObject {
    func returnRoom(_ count: Int, on stream: HTTP2StreamID)
}

/// The messages that have arrived on one stream and nobody has read yet.
///
/// Room for further bytes is given back to the peer while few bytes wait here, and held back otherwise until some have
/// been read: that is how a slow reader slows its peer down. What is unfinished never counts, so a message may be
/// larger than the window.
final class InboundMessages: @unchecked Sendable {
    /// Whose messages they are, which decides who is told what is wrong with one.
    enum Direction { case requests, responses }

    // Everything mutable is touched on the executor's event loop alone.
    let executor: LoopExecutor
    private let direction: Direction
    private let maxWaitingBytes: Int
    private let maxMessageBytes: Int
    private var messages: [ReceivedMessage] = []
    private var first = 0
    private var waitingBytes = 0
    private var unreturnedBytes = 0
    private var end: Result<Void, RPCError>?
    private var waiter: Waiter?
    private var roomGiver: (any RoomGiver)?
    private var stream: HTTP2StreamID = 0

    private typealias Waiter = LoopWaiter<Result<ReceivedMessage?, RPCError>>

    /// A message that was packed may hold up to `maxMessageBytes`.
    init(_ direction: Direction, executor: LoopExecutor, maxWaitingBytes: Int, maxMessageBytes: Int) {
        self.direction = direction
        self.executor = executor
        self.maxMessageBytes = maxMessageBytes
        self.maxWaitingBytes = maxWaitingBytes
    }

    /// Says who gives the peer of the stream more room; `nil` when nobody need any more.
    func returnRoom(to giver: (any RoomGiver)?, on stream: HTTP2StreamID) {
        roomGiver = giver
        self.stream = stream
    }

    /// Messages that wait to be read.
    var count: Int { messages.count - first }

    /// Takes a message that is complete.
    func append(_ message: ReceivedMessage) {
        guard end == nil else { return }
        if let waiter, let continuation = waiter.continuation {
            self.waiter = nil
            continuation.resume(returning: .success(message))
            return
        }
        messages.append(message)
        waitingBytes += InboundMessages.size(of: message)
    }

    /// Counts bytes that arrived on the stream, after the messages that they completed were appended.
    func received(_ byteCount: Int) {
        unreturnedBytes += byteCount
        returnRoomIfFewWait()
    }

    /// Says that no more messages come. Only the first end counts, and those that wait can still be read unless it
    /// drops them.
    func finish(_ result: Result<Void, RPCError> = .success(()), dropsWaiting: Bool = false) {
        guard end == nil else { return }
        end = result
        if dropsWaiting {
            messages = []
            first = 0
            waitingBytes = 0
        }
        if let waiter, let continuation = waiter.continuation {
            self.waiter = nil
            continuation.resume(returning: result.map { nil })
        }
    }

    /// The next message without waiting for one.
    func take() -> ReceivedMessage? {
        guard first < messages.count else { return nil }
        let message = messages[first]
        messages[first].bytes = []
        first += 1
        if first == messages.count {
            messages.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64 {
            messages.removeFirst(first)
            first = 0
        }
        waitingBytes -= InboundMessages.size(of: message)
        returnRoomIfFewWait()
        return message
    }

    /// What a message counts while it waits: its whole frame, since one that holds nothing takes memory as well.
    private static func size(of message: ReceivedMessage) -> Int { MessageFrame.prefixBytes + message.bytes.count }

    private func returnRoomIfFewWait() {
        guard unreturnedBytes > 0, waitingBytes <= maxWaitingBytes else { return }
        let count = unreturnedBytes
        unreturnedBytes = 0
        roomGiver?.returnRoom(count, on: stream)
    }

    private func takeOrEnd() -> Result<ReceivedMessage?, RPCError>? {
        if let message = take() { return .success(message) }
        return end?.map { nil }
    }

    /// The next message, or `nil` after the last.
    func next<M: Message>(as type: M.Type) async throws(RPCError) -> M? {
        try await nextFramed(as: type)?.message
    }

    /// The next message and whether it was packed, or `nil` after the last.
    func nextFramed<M: Message>(as type: M.Type) async throws(RPCError) -> FramedMessage<M>? {
        guard let received = try await nextReceived().get() else { return nil }
        let bytes = received.isCompressed ? try await received.unpacked(limit: maxMessageBytes) : received.bytes
        do {
            return FramedMessage(message: try M(decoding: bytes), wasCompressed: received.isCompressed)
        } catch {
            throw direction == .requests ? RPCError(unreadableRequest: error) : RPCError(unreadableResponse: error)
        }
    }

    private func nextReceived() async -> Result<ReceivedMessage?, RPCError> {
        if executor.isCurrent, let result = takeOrEnd() { return result }
        let waiter = Waiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                executor.run { self.park(waiter, continuation) }
            }
        } onCancel: {
            executor.run { self.cancel(waiter) }
        }
    }

    private func park(_ waiter: Waiter, _ continuation: CheckedContinuation<Result<ReceivedMessage?, RPCError>, Never>) {
        if let result = takeOrEnd() {
            continuation.resume(returning: result)
        } else if waiter.isCancelled {
            continuation.resume(returning: .failure(RPCError(.cancelled, "The call was cancelled.")))
        } else if self.waiter != nil {
            let message = "Two tasks read one stream of messages at the same time."
            continuation.resume(returning: .failure(RPCError(.internalError, message)))
        } else {
            waiter.continuation = continuation
            self.waiter = waiter
        }
    }

    private func cancel(_ waiter: Waiter) {
        waiter.isCancelled = true
        guard let continuation = waiter.continuation, self.waiter === waiter else { return }
        self.waiter = nil
        continuation.resume(returning: .failure(RPCError(.cancelled, "The call was cancelled.")))
    }
}
