internal import Time

/// Where a reading stands among those of its code: by its time, and among those of one instant by its id.
struct ReadingPlace: Hashable, Sendable, Comparable {
    let at: Instant
    let id: ObservationID

    static func < (left: ReadingPlace, right: ReadingPlace) -> Bool {
        left.at == right.at ? left.id.isBefore(right.id) : left.at < right.at
    }
}

/// What a rule has seen of one person's readings, which it is shown in the order of their places. A value: the same readings always make the
/// same alerts.
///
/// - quiet → gathering, with the first reading beyond the threshold
/// - gathering → quiet, with one that is not; → firing, once there are enough of them and they span long enough
/// - firing → quiet, with the first reading that is clear
///
/// For the rule's cool-down after the reading that fired it no reading counts towards the next alert.
struct AlertMachine: Hashable, Sendable {
    struct Run: Hashable, Sendable {
        let start: ReadingPlace
        var count: Int
    }

    enum Phase: Hashable, Sendable {
        case quiet
        case gathering(Run)
        case firing
    }

    enum Event: Hashable, Sendable {
        /// The readings of the run, of which this is the last, make an alert.
        case fired(Run)
        case cleared
    }

    private(set) var phase = Phase.quiet
    /// When the last alert fired.
    private(set) var lastFired: Instant?

    init(phase: Phase = .quiet, lastFired: Instant? = nil) {
        self.phase = phase
        self.lastFired = lastFired
    }

    mutating func see(_ place: ReadingPlace, _ side: AlertCriteria.Side, by criteria: AlertCriteria) -> Event? {
        switch phase {
        case .firing:
            guard side == .clear else { return nil }
            phase = .quiet
            return .cleared
        case .quiet, .gathering:
            guard side == .beyond, !isCoolingDown(at: place.at, by: criteria) else {
                phase = .quiet
                return nil
            }
            var run = Run(start: place, count: 0)
            if case .gathering(let begun) = phase { run = begun }
            run.count += 1
            guard run.count >= criteria.minSamples, place.at - run.start.at >= criteria.minDuration else {
                phase = .gathering(run)
                return nil
            }
            phase = .firing
            lastFired = place.at
            return .fired(run)
        }
    }

    func isCoolingDown(at instant: Instant, by criteria: AlertCriteria) -> Bool {
        guard let lastFired else { return false }
        return instant < lastFired + criteria.cooldown
    }
}
