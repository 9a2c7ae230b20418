/// How much time may be spent on repeating searches: a share of what the search threads could compute. What is not spent is kept for a
/// second's worth, so that a search after a quiet time is sampled and a busy time is not paid for later.
struct RecallBudget: Sendable {
    /// Seconds of one thread that come in a second.
    let rate: Double
    private var balance = 0.0
    private var asked: ContinuousClock.Instant?

    /// - Parameters:
    ///   - percent: of the threads' time; 0 takes no samples.
    ///   - threads: that search.
    init(percent: Int, threads: Int) { rate = Double(percent) / 100 * Double(threads) }

    /// Whether something may be begun now. It is paid for afterwards, when it is known what it cost.
    mutating func allows(now: ContinuousClock.Instant) -> Bool {
        let passed = asked.map { ($0.duration(to: now)) / .seconds(1) } ?? 1
        balance = min(rate, balance + rate * passed)
        asked = now
        return balance > 0
    }

    mutating func spend(_ duration: Duration) { balance -= duration / .seconds(1) }
}
