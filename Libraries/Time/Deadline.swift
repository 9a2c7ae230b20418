/// The moment after which nobody waits for an answer any more, on a clock that only moves forward.
///
/// A deadline is set where a request enters and travels with it: the RPC server sets `current` around each handler,
/// and whatever waits further down (a query, another call) ends no later. It cannot be written down or sent; what goes
/// over the wire is `remaining`.
package struct Deadline: Sendable, Hashable, Comparable {
    private let instant: ContinuousClock.Instant

    /// The deadline this long from now; in the past if the duration is negative.
    package static func after(_ duration: Duration) -> Deadline { after(duration, from: .now) }

    /// The deadline this long from a moment that was read off the clock already.
    package static func after(_ duration: Duration, from instant: ContinuousClock.Instant) -> Deadline {
        // A century is as good as never, and keeps the addition within the clock's range.
        Deadline(instant: instant.advanced(by: min(duration, .seconds(3_155_760_000))))
    }

    /// What is left; zero or less once the deadline has passed.
    package var remaining: Duration { ContinuousClock.now.duration(to: instant) }

    package var hasPassed: Bool { remaining <= .zero }

    /// A deadline that much later.
    package static func + (deadline: Deadline, duration: Duration) -> Deadline {
        Deadline(instant: deadline.instant.advanced(by: duration))
    }

    package static func < (left: Deadline, right: Deadline) -> Bool { left.instant < right.instant }

    /// The stricter of two deadlines, where `nil` stands for none.
    package static func earlier(_ one: Deadline?, _ other: Deadline?) -> Deadline? {
        guard let one else { return other }
        guard let other else { return one }
        return min(one, other)
    }
}
