internal import Synchronization

/// Lets so many load at a time; the others wait for their turn, in the order in which they came, and so many at most.
final class LoadPermits: Sendable {
    private struct State {
        var free: Int
        var waiters: [(number: Int, continuation: CheckedContinuation<Outcome, Never>)] = []
        var lastNumber = 0
    }

    private enum Outcome {
        case admitted
        case full
        case cancelled
    }

    private let state: Mutex<State>
    private let maxWaiting: Int

    init(_ count: Int, maxWaiting: Int) {
        state = Mutex(State(free: count))
        self.maxWaiting = maxWaiting
    }

    /// Throws `CacheError.overloaded` when too many wait already, and `CancellationError`.
    func withPermit<Value>(_ body: () async throws -> Value) async throws -> Value {
        switch await take() {
        case .admitted: break
        case .full: throw CacheError.overloaded
        case .cancelled: throw CancellationError()
        }
        defer { giveBack() }
        return try await body()
    }

    private func take() async -> Outcome {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Outcome? = state.withLock { state in
                    if Task.isCancelled { return .cancelled }
                    if state.free > 0 {
                        state.free -= 1
                        return .admitted
                    }
                    if state.waiters.count >= maxWaiting { return .full }
                    state.waiters.append((number, continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).continuation }
            }
            waiter?.resume(returning: .cancelled)
        }
    }

    private func giveBack() {
        let next = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil as CheckedContinuation<Outcome, Never>?
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume(returning: .admitted)
    }
}
