import NIOCore
import Synchronization

/// Whether the client of a connection is still there, heard where its bytes arrive; and what becomes of its call when it is not.
///
/// A client that has closed its connection and one that has only closed its sending side look the same until something is written to
/// them, so both are gone: who half-closes and waits reads that the call was cancelled. One that vanishes without a word stays until its
/// call ends.
final class ClientPresence: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    /// That of the connection on which this task answers.
    @TaskLocal static var current: ClientPresence?

    private struct State {
        var isGone = false
        var callHasEnded = false
        /// Who waits for either.
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Runs a call, and cancels its task when the client goes away; where it has gone already the task is cancelled from the start. HTTP/1.1
    /// answers the calls of a connection one after the other, so there is one at a time.
    func whilePresent<Answer: Sendable>(_ call: @escaping @Sendable () async -> Answer) async -> Answer {
        let isGone = state.withLock { state in
            state.callHasEnded = false
            return state.isGone
        }
        return await withTaskGroup(of: Answer.self) { group in
            if isGone { group.cancelAll() }
            group.addTask {
                let answer = await call()
                self.note { $0.callHasEnded = true }
                return answer
            }
            await untilGoneOrEnded()
            // Of a call that has ended nothing is left to be cancelled.
            group.cancelAll()
            guard let answer = await group.next() else { preconditionFailure("the call is the group's one task") }
            return answer
        }
    }

    private func untilGoneOrEnded() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = state.withLock { state in
                if state.isGone || state.callHasEnded { return true }
                state.waiting = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func note(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            let waiting = state.waiting
            state.waiting = nil
            return waiting
        }
        waiting?.resume()
    }

    // MARK: What the connection says

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { note { $0.isGone = true } }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        note { $0.isGone = true }
        context.fireChannelInactive()
    }
}
