internal import Synchronization

/// How far an index has followed its table, and who waits for it to come further.
final class PositionTracker: Sendable {
    private struct Waiter {
        let position: Int64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var seen: Int64?
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// Everything up to this position is in the index; `nil` until it has been filled for the first time.
    var seen: Int64? { state.withLock { $0.seen } }

    var waiterCount: Int { state.withLock { $0.waiters.count } }

    func advance(to position: Int64) {
        let arrived = state.withLock { state in
            let seen = max(position, state.seen ?? position)
            state.seen = seen
            let arrived = state.waiters.filter { $0.value.position <= seen }
            for key in arrived.keys { state.waiters[key] = nil }
            return arrived.values.map(\.continuation)
        }
        for continuation in arrived { continuation.resume(returning: true) }
    }

    /// Lets everybody go who waits, since the index follows no further.
    func end() {
        let left = state.withLock { state in
            let left = state.waiters.values.map(\.continuation)
            state.waiters = [:]
            state.hasEnded = true
            return left
        }
        for continuation in left { continuation.resume(returning: false) }
    }

    /// Waits until the position has been seen; `false` if the task was cancelled first, or the index follows no further.
    func arrival(at position: Int64) async -> Bool {
        let key = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if let seen = state.seen, seen >= position { return true }
                    // The flag is set before `onCancel` runs, so one of the two sees the other's work.
                    if Task.isCancelled || state.hasEnded { return false }
                    state.waiters[key] = Waiter(position: position, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: key) }
            waiter?.continuation.resume(returning: false)
        }
    }
}
