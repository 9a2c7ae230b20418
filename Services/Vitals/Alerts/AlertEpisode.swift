internal import Time

/// From the first reading that led to an alert to the one that ended it.
struct AlertEpisode: Hashable, Sendable {
    let start: ReadingPlace
    let fire: ReadingPlace
    /// When the alert before it fired, which a replay begins with.
    let lastFired: Instant?
    var clear: ReadingPlace?

    /// Whether a reading at the place is behind the one that fired and not behind the one that ended it.
    func isOpen(at place: ReadingPlace) -> Bool { fire < place && (clear.map { place <= $0 } ?? true) }
}

/// The episodes that a machine makes of the readings that it is shown.
struct AlertTrace: Hashable, Sendable {
    private(set) var machine: AlertMachine
    private(set) var episodes: [AlertEpisode] = []
    /// When the alert that the machine is in began, if it began before the trace did, and whether it is over.
    private(set) var endedEarlier: ReadingPlace?

    init(from machine: AlertMachine = AlertMachine()) { self.machine = machine }

    mutating func see(_ place: ReadingPlace, _ side: AlertCriteria.Side, by criteria: AlertCriteria) {
        let before = machine.lastFired
        switch machine.see(place, side, by: criteria) {
        case .fired(let run): episodes.append(AlertEpisode(start: run.start, fire: place, lastFired: before))
        case .cleared where episodes.isEmpty: endedEarlier = place
        case .cleared: episodes[episodes.count - 1].clear = place
        case nil: break
        }
    }
}
