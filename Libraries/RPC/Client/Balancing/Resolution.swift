/// When a name is looked up again: when somebody cannot connect, and never more often than the minimum interval. It
/// knows no clock but the instants that it is handed.
struct Resolution {
    enum Action: Hashable {
        case lookUp
        /// Come back after so long and look it up then.
        case wait(Duration)
        /// It is being looked up, or will be.
        case nothing
    }

    private enum State {
        case idle
        case waiting
        case lookingUp
    }

    /// How soon a look-up that failed is made again.
    static let pauseAfterFailure: Duration = .seconds(1)

    private let interval: Duration
    private var pause: Duration = .zero
    private var state = State.idle
    private var last: ContinuousClock.Instant?

    init(interval: Duration) {
        self.interval = interval
    }

    /// Somebody wants to know where the name leads.
    mutating func wanted(now: ContinuousClock.Instant) -> Action {
        guard state == .idle else { return .nothing }
        if let last, now < last + pause {
            state = .waiting
            return .wait(last + pause - now)
        }
        state = .lookingUp
        return .lookUp
    }

    /// The wait is over. Whether to look it up.
    mutating func waited() -> Bool {
        guard state == .waiting else { return false }
        state = .lookingUp
        return true
    }

    mutating func ended(succeeded: Bool, now: ContinuousClock.Instant) {
        state = .idle
        last = now
        pause = succeeded ? interval : min(interval, Resolution.pauseAfterFailure)
    }
}
