internal import Synchronization

/// Whether the program serves, for whoever asks or watches.
package final class HealthReporter: Sendable {
    package enum Status: Sendable, Equatable {
        case serving
        /// The reason is a sentence for the operator.
        case notServing(reason: String)
    }

    private struct State {
        var status: Status
        var isClosed = false
        var watchers: [Int: AsyncStream<Status>.Continuation] = [:]
        var nextWatcher = 0
    }

    private let state: Mutex<State>

    package init(_ status: Status = .notServing(reason: "The service is starting.")) {
        state = Mutex(State(status: status))
    }

    package var status: Status { state.withLock { $0.status } }

    /// Sets the status and tells every watcher, if it changed. Returns whether it did.
    @discardableResult
    package func report(_ status: Status) -> Bool {
        state.withLock { state in
            guard state.status != status, !state.isClosed else { return false }
            state.status = status
            for watcher in state.watchers.values { watcher.yield(status) }
            return true
        }
    }

    /// The program is going: tells every watcher so, for the last time. Nothing that is reported afterwards counts.
    package func close() {
        let last = Status.notServing(reason: "The service is stopping.")
        // In one step: a check that ends between the two would otherwise have the last word.
        let watchers = state.withLock { state in
            if !state.isClosed, state.status != last {
                state.status = last
                for watcher in state.watchers.values { watcher.yield(last) }
            }
            state.isClosed = true
            defer { state.watchers = [:] }
            return state.watchers
        }
        for watcher in watchers.values { watcher.finish() }
    }

    /// The status now and each time it changes, until the program goes. A reader that is slow sees the newest and misses some between.
    package func watch() -> AsyncStream<Status> {
        let (stream, continuation) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            defer { state.nextWatcher += 1 }
            state.watchers[state.nextWatcher] = continuation
            continuation.yield(state.status)
            if state.isClosed { continuation.finish() }
            return state.nextWatcher
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) }
        }
        return stream
    }
}
