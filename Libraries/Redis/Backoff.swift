/// How long to wait before the next attempt: doubled after each failure up to a bound, and of that a random part
/// between half and all, so that clients which lost one server do not come back in step.
struct Backoff {
    private let delays: ClosedRange<Duration>
    private var ceiling: Duration

    init(_ delays: ClosedRange<Duration>) {
        self.delays = delays
        ceiling = delays.lowerBound
    }

    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let fraction = Double.random(in: 0.5...1, using: &random)
        defer { ceiling = min(ceiling * 2, delays.upperBound) }
        return ceiling * fraction
    }

    mutating func reset() { ceiling = delays.lowerBound }
}
