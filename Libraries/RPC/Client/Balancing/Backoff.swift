/// Pauses that grow with each failure and vary by a fifth, as gRPC's connection-backoff.md has them.
struct Backoff {
    private let initial: Duration
    private let limit: Duration
    private let multiplier: Double
    private(set) var upcoming: Duration

    init(initial: Duration, limit: Duration, multiplier: Double) {
        self.initial = initial
        self.limit = limit
        self.multiplier = multiplier
        self.upcoming = min(initial, limit)
    }

    /// The next pause; `chance` from 0 to 1 says where in its fifth up or down it falls.
    mutating func next(chance: Double) -> Duration {
        let pause = upcoming
        upcoming = min(limit, pause * multiplier)
        return pause * (0.8 + 0.4 * chance)
    }

    mutating func reset() {
        upcoming = min(initial, limit)
    }
}
