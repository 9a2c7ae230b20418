internal import NIOCore
internal import Synchronization
internal import Time

/// Commands that are written together, or a share of a script's run, and the task that waits for the replies.
///
/// It is settled once, by whoever comes first: the connection with the replies, the deadline, or a cancellation. A
/// request that was settled before it was written is not written; one that was written keeps its place in the
/// connection's order, and its replies are dropped when they come.
final class RedisRequest: Sendable {
    typealias Answer = Result<[RESPValue], RedisError>

    private enum State {
        case pending(Waiter?, wasSent: Bool)
        case answered(Answer)
        case collected
    }

    /// None if it has a share of a script instead.
    let commands: [RedisCommand]
    let share: ScriptShare?
    let deadline: NIODeadline
    /// The size on the wire: what the bound on outstanding bytes counts.
    let byteCount: Int
    /// Where it is counted until it has left the connection; nil for the handshake's.
    private let outstanding: OutstandingCommands?
    private let state = Mutex(State.pending(nil, wasSent: false))

    init(_ commands: [RedisCommand], deadline: NIODeadline, countedBy outstanding: OutstandingCommands? = nil) {
        self.commands = commands
        share = nil
        self.deadline = deadline
        self.outstanding = outstanding
        byteCount = commands.reduce(0) { $0 + $1.byteCount }
    }

    /// To be answered by a run of a script that others may share.
    init(_ share: ScriptShare, deadline: NIODeadline, countedBy outstanding: OutstandingCommands? = nil) {
        commands = []
        self.share = share
        self.deadline = deadline
        self.outstanding = outstanding
        byteCount = share.byteCount
    }

    /// What the bound on outstanding commands counts.
    var commandCount: Int { share == nil ? commands.count : 1 }

    /// What errors call it.
    var name: String { share == nil ? commands.first?.name ?? "" : "EVALSHA" }

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
        let settled: (Waiter, Answer)? = state.withLock { state in
            guard case .pending(let waiter, let wasSent) = state else { return nil }
            let answer = answer(wasSent)
            state = waiter == nil ? .answered(answer) : .collected
            return waiter.map { ($0, answer) }
        }
        if let (waiter, answer) = settled { waiter.resume(answer) }
    }

    /// The connection owes it nothing any more.
    func release() { outstanding?.remove(self) }

    /// Waits for the answer; to be called once. A cancelled task gets its error at once, unless it waits in spite of that.
    nonisolated(nonsending) func answer(isCancellable: Bool = true) async -> Answer {
        let scope = CurrentTask.scope
        scope?.entered(.redis)
        defer { scope?.left(.redis) }
        guard isCancellable else { return await settled() }
        return await withTaskCancellationHandler { await settled() } onCancel: { cancel() }
    }

    nonisolated(nonsending) private func settled() async -> Answer {
        await unsafe withUnsafeContinuation { continuation in
            let waiter = unsafe Waiter(continuation)
            let ready: Answer? = state.withLock { state in
                switch state {
                case .pending(_, let wasSent):
                    state = .pending(waiter, wasSent: wasSent)
                    return nil
                case .answered(let answer):
                    state = .collected
                    return answer
                case .collected:
                    preconditionFailure("a request was awaited twice")
                }
            }
            if let ready { waiter.resume(ready) }
        }
    }
}

/// The task that waits. It is resumed once: whoever does takes it out of the request's state first.
@safe
private struct Waiter {
    private let continuation: UnsafeContinuation<RedisRequest.Answer, Never>

    init(_ continuation: UnsafeContinuation<RedisRequest.Answer, Never>) { unsafe self.continuation = continuation }

    func resume(_ answer: RedisRequest.Answer) { unsafe continuation.resume(returning: answer) }
}
