internal import Synchronization

/// A call that waits until its event is on record. The first answer counts.
final class AuditWaiter: Sendable {
    typealias Outcome = Result<Void, AuditError>

    private enum State {
        case open
        case waiting(CheckedContinuation<Outcome, Never>)
        case answered(Outcome)
    }

    private let state = Mutex(State.open)

    func answer(_ outcome: Outcome) {
        let waiting = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .answered: return nil
            case .open:
                state = .answered(outcome)
                return nil
            case .waiting(let continuation):
                state = .answered(outcome)
                return continuation
            }
        }
        waiting?.resume(returning: outcome)
    }

    /// Waits for the answer, or until the task is cancelled. For one task.
    nonisolated(nonsending) func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early = state.withLock { state -> Outcome? in
                    if case .answered(let outcome) = state { return outcome }
                    state = .waiting(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            answer(.failure(AuditError(.cancelled)))
        }
    }
}
