/// How many frames of a kind a connection may send: some at once, and a few a second after that. One is for those that break a rule: each makes the
/// server answer, with a reset perhaps, and forget; without a limit a client could make it begin calls and reset them
/// itself without end, which no limit on the client's own resets sees (CVE-2025-8671, "MadeYouReset"). Another is for
/// SETTINGS, each of which has to be applied and acknowledged (CVE-2019-9515).
struct FaultAllowance {
    private let burst: Double
    private let perSecond: Double
    private var left: Double
    private var last: Duration?

    init(burst: Int, perSecond: Int) {
        self.burst = Double(burst)
        self.perSecond = Double(perSecond)
        left = Double(burst)
    }

    /// Takes one, at a time by any clock that only goes forward. Whether it was there to take.
    mutating func take(at now: Duration) -> Bool {
        if let last { left = min(burst, left + (now - last) / .seconds(1) * perSecond) }
        last = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
