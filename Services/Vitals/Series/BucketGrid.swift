internal import Time

/// Buckets that lie side by side, for all time.
enum BucketGrid: Hashable, Sendable {
    /// Of so many seconds, counted from 1970 on.
    case fixed(seconds: Int64)
    /// Days by the clocks of one place, which may have 23 or 25 hours.
    case days(LocalTime)

    /// Whether several of them go into an hour, so that rollups are of no use.
    var isFinerThanRollups: Bool {
        switch self {
        case .fixed(let seconds): seconds < 3_600
        case .days: false
        }
    }

    /// When the bucket begins that an instant is in.
    func start(containing instant: Instant) -> Instant {
        switch self {
        case .fixed(let seconds):
            let width = seconds * 1_000_000
            let into = instant.microsecondsSinceEpoch % width
            return Instant(microsecondsSinceEpoch: instant.microsecondsSinceEpoch - into - (into < 0 ? width : 0))
        case .days(let clocks): return clocks.instant(of: Self.day(containing: instant, by: clocks))
        }
    }

    /// When the bucket ends, and the next begins, that an instant is in.
    func end(containing instant: Instant) -> Instant {
        switch self {
        case .fixed(let seconds): start(containing: instant) + .seconds(seconds)
        case .days(let clocks): clocks.instant(of: Self.day(containing: instant, by: clocks).next)
        }
    }

    /// The day that had begun last. It is not always what clocks showed: those that are put back over midnight show the day before again.
    private static func day(containing instant: Instant, by clocks: LocalTime) -> CivilDate {
        var day = clocks.date(at: instant)
        while clocks.instant(of: day) > instant { day = CivilDate(daysSinceEpoch: day.daysSinceEpoch - 1) }
        // A day that a place left out has no length, and nothing is in it.
        while clocks.instant(of: day.next) <= instant { day = day.next }
        return day
    }

    /// The buckets from the one that an instant is in on, as the instants between them: as many as asked for, or fewer if a later one begins
    /// at `end` or after it.
    func bounds(from instant: Instant, before end: Instant, most: Int) -> [Instant] {
        var bounds = [start(containing: instant)]
        while bounds.count <= most, let last = bounds.last, last < end { bounds.append(self.end(containing: last)) }
        return bounds
    }
}

extension CivilDate {
    fileprivate var next: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + 1) }
}
