internal import Synchronization
package import Time

/// Bounds what one dependency may hold of a process: so many calls at a time, and so many more that wait for a place, in
/// the order in which they came and for a short time. A dependency that hangs takes its places and nobody else's.
package final class Bulkhead: Sendable {
    package enum Refused: Error, Sendable, Hashable {
        /// As many wait already as may.
        case full
        /// No place became free in time.
        case waitedTooLong
        case cancelled
    }

    package struct Report: Sendable, Hashable {
        package let inUse: Int
        package let waiting: Int
        package let limit: Int
        package let refused: Int
    }

    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Refused?, Never>
    }

    private struct State {
        var inUse = 0
        var waiters: [Waiter] = []
        var lastNumber = 0
        var refused = 0
    }

    package let limit: Int
    private let maxWaiting: Int
    private let maxWait: Duration
    private let state = Mutex(State())

    package init(limit: Int, maxWaiting: Int, maxWait: Duration) {
        precondition(limit > 0, "a bulkhead needs a place")
        self.limit = limit
        self.maxWaiting = maxWaiting
        self.maxWait = maxWait
    }

    package var report: Report {
        state.withLock { Report(inUse: $0.inUse, waiting: $0.waiters.count, limit: limit, refused: $0.refused) }
    }

    /// Waits for a place, no longer than may be waited nor than until the deadline. Whoever has one leaves it again.
    package func enter(until deadline: Deadline? = nil) async throws(Refused) {
        let isIn = state.withLock { state in
            guard state.inUse < limit else { return false }
            state.inUse += 1
            return true
        }
        if isIn { return }
        let patience = deadline.map { min(maxWait, $0.remaining) } ?? maxWait
        if let refusal = await wait(patience) {
            if refusal != .cancelled { state.withLock { $0.refused += 1 } }
            throw refusal
        }
    }

    package func leave() {
        let next: Waiter? = state.withLock { state in
            if !state.waiters.isEmpty { return state.waiters.removeFirst() }
            state.inUse -= 1
            return nil
        }
        next?.continuation.resume(returning: nil)
    }

    private func wait(_ patience: Duration) async -> Refused? {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let end = ContinuousClock.now.advanced(by: patience)
        return await withTaskGroup(of: End.self) { group in
            group.addTask { .answer(await self.queue(as: number, until: end)) }
            group.addTask {
                // Cancelled when there is a place.
                try? await Task.sleep(until: end, clock: .continuous)
                self.giveUp(number, Task.isCancelled ? .cancelled : .waitedTooLong)
                return .timer
            }
            // The timer may end first; what counts is what the waiter was told, which may have been a place.
            for await case .answer(let refusal) in group {
                group.cancelAll()
                return refusal
            }
            return .cancelled
        }
    }

    private enum End {
        case answer(Refused?)
        case timer
    }

    private func queue(as number: Int, until end: ContinuousClock.Instant) async -> Refused? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Refused?? = state.withLock { state in
                    if Task.isCancelled { return .some(.cancelled) }
                    if state.inUse < limit {
                        state.inUse += 1
                        return .some(nil)
                    }
                    if state.waiters.count >= maxWaiting { return .some(.full) }
                    // The timer may have looked for this waiter already, and does so once.
                    if ContinuousClock.now >= end { return .some(.waitedTooLong) }
                    state.waiters.append(Waiter(number: number, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            giveUp(number, .cancelled)
        }
    }

    private func giveUp(_ number: Int, _ reason: Refused) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: reason)
    }
}
