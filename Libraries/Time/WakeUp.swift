internal import Synchronization

/// Wakes one task that waits for something to do. A signal that comes before the waiting is not lost.
package final class WakeUp: Sendable {
    private struct State {
        var isSignalled = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func signal() {
        let sleeper = state.withLock { state in
            if state.sleeper == nil { state.isSignalled = true }
            return state.sleeper.take()
        }
        sleeper?.resume()
    }

    /// Returns at the next signal, or at the date.
    package func wait(until date: ContinuousClock.Instant?) async {
        await withDiscardingTaskGroup { group in
            if let date {
                group.addTask {
                    // Cancelled when the signal came first.
                    guard (try? await Task.sleep(until: date, clock: .continuous)) != nil else { return }
                    self.signal()
                }
            }
            await suspend()
            group.cancelAll()
        }
    }

    private func suspend() async {
        await withCheckedContinuation { continuation in
            let isSignalled = state.withLock { state in
                defer { state.isSignalled = false }
                if !state.isSignalled { state.sleeper = continuation }
                return state.isSignalled
            }
            if isSignalled { continuation.resume() }
        }
    }
}
