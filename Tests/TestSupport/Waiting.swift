internal import Synchronization

/// What was waited for has not come to be. It is the test's end in the place of a run that hangs, and no bound that anything is held to.
package struct WaitedInVain: Error {}

/// Waits until something is so, for five minutes at most.
package func until(_ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(300)
    while try await !isSo() {
        guard .now < end else { throw WaitedInVain() }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// How many were inside at most.
package final class Most: Sendable {
    private let state = Mutex((now: 0, most: 0))

    package init() {}

    package func enter() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }

    package func leave() { state.withLock { $0.now -= 1 } }

    package var value: Int { state.withLock { $0.most } }
}
