/// Counts the pings of a client that asks for signs of life too often (gRFC A8; gRPC's keepalive.md).
///
/// A ping that comes sooner after the one before than the policy allows is a strike. What the server sends of its own,
/// headers or messages, forgives all strikes: a client may then be measuring the connection, as ours does.
struct PingStrikes {
    struct Policy: Sendable, Hashable {
        /// The least time between two pings of a client with calls open.
        var minInterval: Duration
        /// The same for a client without calls.
        var minIntervalWithoutCalls: Duration
        /// Strikes that are forgiven.
        var maxStrikes = 2
    }

    private let policy: Policy
    private var strikes = 0
    private var last: Duration?
    private var framesSent: UInt64 = 0

    init(_ policy: Policy) {
        self.policy = policy
    }

    /// Takes a ping: when it came, by any clock that only goes forward, whether calls are open, and how many frames of
    /// messages the server has sent by now. Whether it is one too many.
    mutating func pinged(at now: Duration, hasCalls: Bool, messageFramesSent: UInt64) -> Bool {
        defer { last = now }
        if messageFramesSent != framesSent {
            framesSent = messageFramesSent
            strikes = 0
            return false
        }
        guard let last else { return false }
        let least = hasCalls ? policy.minInterval : policy.minIntervalWithoutCalls
        if now - last < least { strikes += 1 }
        return strikes > policy.maxStrikes
    }
}
