import Logging
import Synchronization

/// Learns from the client's log what has become of its connection, so that a test can wait for it.
final class ConnectionLog: Sendable {
    enum Event: String {
        case connected = "connected to Redis"
        case lost = "lost the connection to Redis"
        /// An attempt that failed; the log's text is the error's.
        case failed
    }

    private struct State {
        var seen: [Event] = []
        /// How many of `seen` have been waited for.
        var consumed = 0
        var waiting: (event: Event, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    var logger: Logger { Logger(label: "redis-tests") { [self] _ in Handler(log: self) } }

    /// Waits until this has happened after what was waited for before.
    func next(_ event: Event) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if let index = state.seen[state.consumed...].firstIndex(of: event) {
                    state.consumed = index + 1
                    return true
                }
                state.waiting = (event, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func count(_ event: Event) -> Int { state.withLock { $0.seen.count { $0 == event } } }

    private func add(_ event: Event) {
        let continuation: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.seen.append(event)
            guard let waiting = state.waiting, waiting.event == event else { return nil }
            state.waiting = nil
            state.consumed = state.seen.count
            return waiting.continuation
        }
        continuation?.resume()
    }

    private struct Handler: LogHandler {
        let log: ConnectionLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.add(Event(rawValue: "\(event.message)") ?? .failed) }
    }
}
