/// What a channel knows about its way to the server, and what it does next. It knows neither clocks nor sockets.
struct Connectivity {
    enum Phase: Hashable {
        /// Nobody has asked for a connection yet, or the last one ended; the next call makes one.
        case idle
        case connecting
        case ready
        /// The last attempt failed; the next one waits.
        case pausing(reason: String)
        case closed
    }

    private(set) var phase = Phase.idle
    private var backoff: Backoff

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    enum CallAction: Hashable {
        case start
        case wait
        case connectAndWait
        case fail(reason: String)
    }

    /// A call wants to be sent.
    mutating func callArrived(waitForReady: Bool) -> CallAction {
        switch phase {
        case .idle:
            phase = .connecting
            return .connectAndWait
        case .connecting: return .wait
        case .ready: return .start
        case .pausing(let reason): return waitForReady ? .wait : .fail(reason: reason)
        case .closed: return .fail(reason: "The channel is closed.")
        }
    }

    /// The server has answered as HTTP/2 does. Whether the connection is wanted.
    mutating func connected() -> Bool {
        guard phase == .connecting else { return false }
        phase = .ready
        backoff.reset()
        return true
    }

    /// An attempt has failed: how long to wait before the next. `nil` when none is wanted.
    mutating func attemptFailed(_ reason: String, chance: Double) -> Duration? {
        guard phase == .connecting else { return nil }
        phase = .pausing(reason: reason)
        return backoff.next(chance: chance)
    }

    /// The pause is over. Whether to connect, which only makes sense for calls that wait.
    mutating func pauseEnded(callsAreWaiting: Bool) -> Bool {
        guard case .pausing = phase else { return false }
        phase = callsAreWaiting ? .connecting : .idle
        return callsAreWaiting
    }

    /// The connection takes no further calls.
    mutating func lost() {
        if phase == .ready { phase = .idle }
    }

    mutating func close() {
        phase = .closed
    }
}

/// Pauses that grow with each failure and vary by a fifth, as gRPC's connection-backoff.md has them.
struct Backoff {
    private let initial: Duration
    private let limit: Duration
    private let multiplier: Double
    private var next: Duration

    init(initial: Duration, limit: Duration, multiplier: Double) {
        self.initial = initial
        self.limit = limit
        self.multiplier = multiplier
        self.next = initial
    }

    /// The next pause; `chance` from 0 to 1 says where in its fifth up or down it falls.
    mutating func next(chance: Double) -> Duration {
        let pause = next
        next = min(limit, pause * multiplier)
        return pause * (0.8 + 0.4 * chance)
    }

    mutating func reset() {
        next = initial
    }
}
