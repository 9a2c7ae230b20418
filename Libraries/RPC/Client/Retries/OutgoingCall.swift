/// A call as its caller sees it, whether it is sent once or may be sent several times.
enum OutgoingCall: Sendable {
    case once(ClientCall)
    case repeated(RepeatedCall)

    var context: ClientCallContext {
        switch self {
        case .once(let call): call.context
        case .repeated(let call): call.context
        }
    }

    func write(_ message: some Message, limit: Int, compressed: Bool?) async throws(RPCError) {
        switch self {
        case .once(let call): try await call.write(message, limit: limit, compressed: compressed)
        case .repeated(let call): try await call.write(message, limit: limit, compressed: compressed)
        }
    }

    func finishSending() {
        switch self {
        case .once(let call): call.finishSendingFromAnywhere()
        case .repeated(let call): call.finishSendingFromAnywhere()
        }
    }

    func cancel() {
        switch self {
        case .once(let call): call.cancelFromAnywhere()
        case .repeated(let call): call.cancelFromAnywhere()
        }
    }

    /// The answer, once it is known which attempt gives it.
    func responses() async throws(RPCError) -> InboundMessages {
        switch self {
        case .once(let call): call.responses
        case .repeated(let call): try await call.chosen().responses
        }
    }

    /// Sends the call, with its only message if it has just one. On any thread.
    func start(_ frame: [UInt8]?, in lane: ChannelLane) {
        switch self {
        case .once(let call):
            lane.executor.run {
                if let frame {
                    _ = call.send(frame)
                    call.finishSending()
                }
                if !call.isEnded { lane.start(call) }
            }
        case .repeated(let call):
            lane.executor.run { call.begin(frame) }
        }
    }

    /// Sends the call and waits for the one message that answers it. Cancelling the task cancels the call.
    func singleResponse(_ frame: [UInt8]?, in lane: ChannelLane) async throws(RPCError) -> ReceivedMessage {
        switch self {
        case .once(let call):
            return try await call.singleResponse(to: frame, over: lane)
        case .repeated(let call):
            return try await call.singleResponse(frame)
        }
    }
}
