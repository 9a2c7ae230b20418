/// How far a subchannel is from being able to send calls, in the states of gRPC's connectivity-semantics-and-api.md.
package enum ConnectivityState: Sendable, Hashable {
    /// Nobody has asked for a connection, or the last one ended in peace.
    case idle
    case connecting
    case ready
    /// The last attempt failed, and the next one waits.
    case transientFailure(reason: String)
    case shutdown
}

/// What a subchannel does next about its connection. It knows neither clocks nor sockets.
struct Connectivity {
    private(set) var state = ConnectivityState.idle
    private var backoff: Backoff

    init(backoff: Backoff) {
        self.backoff = backoff
    }

    /// How long an attempt may take when the shortest time allowed for it is so long: never less than the pause that
    /// would follow it (gRPC's connection-backoff.md, MIN_CONNECT_TIMEOUT).
    func attemptLimit(atLeast minimum: Duration) -> Duration { max(minimum, backoff.upcoming) }

    /// Somebody wants a connection. Whether to make one now.
    mutating func wanted() -> Bool {
        guard state == .idle else { return false }
        state = .connecting
        return true
    }

    /// The server has answered as HTTP/2 does. Whether the connection is wanted.
    mutating func connected() -> Bool {
        guard state == .connecting else { return false }
        state = .ready
        backoff.reset()
        return true
    }

    /// An attempt has failed: how long to wait before the next, `elapsed` being the time that the attempt took, for
    /// pauses count from its beginning. `nil` when no attempt is under way.
    mutating func attemptFailed(_ reason: String, elapsed: Duration, chance: Double) -> Duration? {
        guard state == .connecting else { return nil }
        state = .transientFailure(reason: reason)
        return max(.zero, backoff.next(chance: chance) - elapsed)
    }

    /// The pause is over. Whether that changes anything.
    mutating func pauseEnded() -> Bool {
        guard case .transientFailure = state else { return false }
        state = .idle
        return true
    }

    /// The connection takes no further calls.
    mutating func lost() {
        if state == .ready { state = .idle }
    }

    mutating func close() {
        state = .shutdown
    }
}
