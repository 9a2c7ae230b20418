internal import Time

/// Decides whether a reading of the world's clock is to be believed, by a clock that only moves forward.
///
/// A clock that is suddenly ahead by more than the tolerance is believed when it says so still after a while: an operator's mistake is
/// corrected by then, and a machine that slept is really later. One that went back is believed at once: it only makes us wait.
struct SteadyClock: Sendable {
    var tolerance = Duration.seconds(300)
    var confirmation = Duration.seconds(30)

    private var believed: Reading?
    private var doubted: Reading?

    private struct Reading: Sendable {
        let instant: Instant
        let moment: ContinuousClock.Instant

        /// How far another reading is ahead of what it should be.
        func lead(of instant: Instant, at moment: ContinuousClock.Instant) -> Duration {
            (instant - self.instant) - self.moment.duration(to: moment)
        }
    }

    init() {}

    /// - Parameter moment: when the reading was taken.
    mutating func believes(_ instant: Instant, at moment: ContinuousClock.Instant) -> Bool {
        let reading = Reading(instant: instant, moment: moment)
        if let believed, believed.lead(of: instant, at: moment) > tolerance {
            guard let doubted, abs(doubted.lead(of: instant, at: moment)) <= tolerance else {
                self.doubted = reading
                return false
            }
            guard doubted.moment.duration(to: moment) >= confirmation else { return false }
        }
        believed = reading
        doubted = nil
        return true
    }
}

private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
