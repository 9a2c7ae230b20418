internal import Time

/// When a snapshot is written anew.
struct SnapshotPolicy: Hashable, Sendable {
    /// So many changes make a new one worth its cost, or a tenth of the documents if that is more: what is written stays a
    /// constant share of what is changed.
    var changes = 1_000
    /// So long after the first change at the latest. What is deleted lives on in the old one until then.
    var interval: Duration = .seconds(900)

    /// When nothing could be written, it is tried again so much later.
    var retry: Duration { min(interval, .seconds(60)) }

    /// - Parameter isBuilding: whether nobody can search yet. Each is then twice as large as the last, so that all of them together cost no more
    ///   than one of twice the size.
    func isDue(_ state: SnapshotState, count: Int, isBuilding: Bool, now: ContinuousClock.Instant) -> Bool {
        guard state.changes > 0, state.retryAt.map({ $0 <= now }) ?? true else { return false }
        if state.changes >= max(changes, isBuilding ? count / 2 : count / 10) { return true }
        return !isBuilding && state.firstChangeAt.map { $0 + interval <= now } ?? false
    }

    /// Whether what is on the disk has to go although nothing can be put in its place: twice the interval is how long what was
    /// deleted may be kept.
    func mustGo(_ state: SnapshotState, now: ContinuousClock.Instant) -> Bool {
        state.saved != nil && state.firstChangeAt.map { $0 + interval + interval <= now } ?? false
    }
}

/// What is on the disk of an index, and what has changed since.
struct SnapshotState: Hashable, Sendable {
    struct Saved: Hashable, Sendable {
        let position: Int64
        let byteCount: Int
        let writtenAt: Instant
    }

    var saved: Saved?
    /// Rows put in since.
    var changes = 0
    /// When the first of them was; `nil` without one.
    var firstChangeAt: ContinuousClock.Instant?
    /// Before then nothing is tried.
    var retryAt: ContinuousClock.Instant?
    /// Why the last could not be written or used: a sentence for an operator.
    var problem: String?

    mutating func note(changes count: Int, now: ContinuousClock.Instant) {
        guard count > 0 else { return }
        changes += count
        if firstChangeAt == nil { firstChangeAt = now }
    }

    /// What comes from now on is not in the snapshot that is being taken. What has come is, once it is on the disk: until then
    /// the old one counts as being as old as it is.
    mutating func begin() -> (changes: Int, firstChangeAt: ContinuousClock.Instant?) {
        defer { (changes, firstChangeAt) = (0, nil) }
        return (changes, firstChangeAt)
    }

    mutating func fail(_ begun: (changes: Int, firstChangeAt: ContinuousClock.Instant?), _ sentence: String, retryAt: ContinuousClock.Instant) {
        changes += begun.changes
        firstChangeAt = begun.firstChangeAt ?? firstChangeAt
        problem = sentence
        self.retryAt = retryAt
    }

    mutating func succeed(_ saved: Saved) {
        self.saved = saved
        problem = nil
        retryAt = nil
    }
}
