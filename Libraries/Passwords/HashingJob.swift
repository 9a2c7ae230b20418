internal import Synchronization

/// One computation and the task that waits for it; answered once, by the thread that ran it or by the cancellation
/// that came before.
final class HashingJob<Value: Sendable>: Sendable {
    typealias Answer = Result<Value, PasswordsError>

    private enum State {
        /// In the queue; the continuation is there once the caller waits.
        case queued(CheckedContinuation<Answer, Never>?)
        case running(CheckedContinuation<Answer, Never>?)
        case answered(Answer)
        case collected
    }

    private let state = Mutex(State.queued(nil))
    private let compute: @Sendable () throws(PasswordsError) -> Value

    init(_ compute: @escaping @Sendable () throws(PasswordsError) -> Value) {
        self.compute = compute
    }

    /// Computes, on the thread that calls; does nothing if the job was cancelled while it waited.
    func run() {
        let mayRun = state.withLock { state in
            guard case .queued(let continuation) = state else { return false }
            state = .running(continuation)
            return true
        }
        guard mayRun else { return }
        let compute = compute
        finish(Answer { () throws(PasswordsError) in try compute() })
    }

    /// Withdraws a job that has not begun. A hash that is being computed is finished: argon2 cannot be interrupted.
    func cancel() {
        let waiting: CheckedContinuation<Answer, Never>? = state.withLock { state in
            guard case .queued(let continuation) = state else { return nil }
            state = continuation == nil ? .answered(.failure(.cancelled)) : .collected
            return continuation
        }
        waiting?.resume(returning: .failure(.cancelled))
    }

    /// Waits for the answer. To be called once.
    func answer() async -> Answer {
        await withCheckedContinuation { continuation in
            let ready: Answer? = state.withLock { state in
                switch state {
                case .queued: state = .queued(continuation)
                case .running: state = .running(continuation)
                case .answered(let answer):
                    state = .collected
                    return answer
                case .collected: preconditionFailure("a hashing job was awaited twice")
                }
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func finish(_ answer: Answer) {
        let waiting: CheckedContinuation<Answer, Never>? = state.withLock { state in
            switch state {
            case .queued(let continuation), .running(let continuation):
                state = continuation == nil ? .answered(answer) : .collected
                return continuation
            case .answered, .collected:
                return nil
            }
        }
        waiting?.resume(returning: answer)
    }
}
