/// A point on the world's clock, to the microsecond, which is what `timestamptz` holds.
///
/// An instant has no time zone; `rfc3339` prints it in UTC. It is for what is written down. To measure how long
/// something may still take, use `Deadline`, which a corrected system clock does not move.
package struct Instant: Sendable, Hashable, Comparable {
    package var microsecondsSinceEpoch: Int64

    package init(microsecondsSinceEpoch: Int64) {
        self.microsecondsSinceEpoch = microsecondsSinceEpoch
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.microsecondsSinceEpoch < right.microsecondsSinceEpoch
    }

    /// The later instant; a duration's part below a microsecond is dropped. The ends of the range are not passed.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.microsecondsSinceEpoch.addingReportingOverflow(duration.wholeMicroseconds)
        guard overflow else { return Instant(microsecondsSinceEpoch: sum) }
        return Instant(microsecondsSinceEpoch: duration < .zero ? .min : .max)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant {
        instant + (.zero - duration)
    }

    /// How long after `right` the instant `left` is; negative if it is before.
    package static func - (left: Instant, right: Instant) -> Duration {
        let (difference, overflow) = left.microsecondsSinceEpoch.subtractingReportingOverflow(right.microsecondsSinceEpoch)
        guard overflow else { return .microseconds(difference) }
        return .microseconds(left < right ? Int64.min : Int64.max)
    }
}

extension Duration {
    /// The duration in microseconds, rounded toward zero and held within 64 bits.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in milliseconds, rounded up, so that a wait of this length never ends too early.
    package var millisecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (quotient, remainder) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(remainder > 0 ? quotient + 1 : quotient)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
}
