/// How long a process that ended by itself stays down: it comes back at once, and the longer it keeps falling over
/// the later, up to a limit. One that stayed up for a while starts from the beginning.
struct RestartPolicy: Equatable, Sendable {
    var firstDelay: Double = 0.2
    var longestDelay: Double = 10
    /// A run of this many seconds clears the count.
    var steadySeconds: Double = 30

    /// The delay before the restart that follows `failures` quick failures in a row (1 or more).
    func delay(afterFailures failures: Int) -> Double {
        let doublings = Double(max(0, min(failures - 1, 16)))
        var delay = firstDelay
        for _ in 0..<Int(doublings) where delay < longestDelay { delay *= 2 }
        return min(delay, longestDelay)
    }
}
