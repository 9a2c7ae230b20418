internal import Time

/// When to leave a server alone that does not answer: after several failures in a row it is asked once a pause, until it
/// answers again. A value that knows no clock.
struct FailurePause: Sendable {
    private let tolerated: Int
    private let pause: Duration
    private var failures = 0
    private var nextTry: ContinuousClock.Instant?

    init(after tolerated: Int = 5, pause: Duration = .seconds(1)) {
        self.tolerated = tolerated
        self.pause = pause
    }

    /// Whether to ask now. One caller a pause is let through.
    mutating func mayAsk(at now: ContinuousClock.Instant) -> Bool {
        guard let next = nextTry else { return true }
        guard now >= next else { return false }
        nextTry = now.advanced(by: pause)
        return true
    }

    mutating func succeeded() {
        failures = 0
        nextTry = nil
    }

    mutating func failed(at now: ContinuousClock.Instant) {
        failures += 1
        if failures >= tolerated { nextTry = now.advanced(by: pause) }
    }
}
