internal import NIOCore
internal import Synchronization

/// Commands that are written together, and the task that waits for their replies.
///
/// It is settled once, by whoever comes first: the connection with the replies, the deadline, or a cancellation. A
/// request that was settled before it was written is not written; one that was written keeps its place in the
/// connection's order, and its replies are dropped when they come.
final class RedisRequest: Sendable {
    typealias Answer = Result<[RESPValue], RedisError>

    private enum State {
        case pending(CheckedContinuation<Answer, Never>?, wasSent: Bool)
        case answered(Answer)
        case collected
    }

    let commands: [RedisCommand]
    let deadline: NIODeadline
    /// The size on the wire, nearly: what the bound on outstanding bytes counts.
    let byteCount: Int
    /// Where it is counted until it has left the connection; nil for the handshake's.
    private let outstanding: OutstandingCommands?
    private let state = Mutex(State.pending(nil, wasSent: false))

    init(_ commands: [RedisCommand], deadline: NIODeadline, countedBy outstanding: OutstandingCommands? = nil) {
        self.commands = commands
        self.deadline = deadline
        self.outstanding = outstanding
        byteCount = commands.reduce(0) { $0 + $1.bytes.count + $1.ends.count * 8 }
    }

    /// What errors call it.
    var name: String { commands.first?.name ?? "" }

    /// Marks that Redis may run the commands from now on; `false` if nobody waits for them any more.
    func beginSending() -> Bool {
        state.withLock { state in
            guard case .pending(let continuation, _) = state else { return false }
            state = .pending(continuation, wasSent: true)
            return true
        }
    }

    var isSettled: Bool {
        state.withLock { state in
            if case .pending = state { false } else { true }
        }
    }

    func settle(_ answer: Answer) { settle { _ in answer } }

    func fail(_ error: RedisError) { settle(.failure(error)) }

    /// Fails with the error of a deadline that has passed.
    func expire() { settle { [name] wasSent in .failure(.timeout(name, wasSent: wasSent)) } }

    private func cancel() { settle { [name] wasSent in .failure(.cancelled(name, wasSent: wasSent)) } }

    private func settle(_ answer: (_ wasSent: Bool) -> Answer) {
        let settled: (CheckedContinuation<Answer, Never>, Answer)? = state.withLock { state in
            guard case .pending(let continuation, let wasSent) = state else { return nil }
            let answer = answer(wasSent)
            state = continuation == nil ? .answered(answer) : .collected
            return continuation.map { ($0, answer) }
        }
        if let (continuation, answer) = settled { continuation.resume(returning: answer) }
    }

    /// The connection owes it nothing any more.
    func release() { outstanding?.remove(self) }

    /// Waits for the answer; to be called once. A cancelled task gets its error at once.
    func answer() async -> Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: Answer? = state.withLock { state in
                    switch state {
                    case .pending(_, let wasSent):
                        state = .pending(continuation, wasSent: wasSent)
                        return nil
                    case .answered(let answer):
                        state = .collected
                        return answer
                    case .collected:
                        preconditionFailure("a request was awaited twice")
                    }
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            cancel()
        }
    }
}
