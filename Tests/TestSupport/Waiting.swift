internal import Synchronization

/// Waits until something is so.
package func until(_ isSo: () async throws -> Bool) async throws {
    while try await !isSo() { try await Task.sleep(for: .milliseconds(5)) }
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
