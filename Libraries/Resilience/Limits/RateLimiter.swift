package import Redis
internal import Time

/// So many units of cost in so long a time.
package struct RateLimit: Sendable, Hashable {
    package let units: Int
    package let window: Duration

    package init(units: Int, window: Duration) {
        precondition(window > .zero && units > 0, "a limit needs a window and at least one unit")
        self.units = units
        self.window = window
    }

    var windowMicroseconds: Int64 { max(1, window.wholeMicroseconds) }
}

/// What a limiter says to a call.
package enum Admission: Sendable, Hashable {
    /// `remaining` units are free now; after `resetAfter` there is one more, if nobody takes any.
    case admitted(remaining: Int, resetAfter: Duration)
    /// So many units are free as the call costs after `retryAfter`, if nobody else takes them.
    case refused(retryAfter: Duration)
}

/// What a replica knows of a key's use that Redis may not know, because it was away.
package struct CarriedUnits: Sendable, Hashable {
    /// Let through by the replica on its own; to be counted on top.
    package var owed = 0
    /// No fewer than these are in use, whatever Redis holds: it may have come back empty.
    package var used = 0

    package static let none = CarriedUnits()
}

/// Counts what each key has used of its limit across all replicas, in Redis.
package protocol RateLimiter: Sendable {
    var limit: RateLimit { get }

    /// Takes `cost` units, all or none, after what is carried has been taken. A call that costs more than the limit takes
    /// all of it, since it could never be admitted otherwise; a cost of zero asks and takes nothing. One round trip.
    ///
    /// An error means that nothing is known: admitting or refusing then is the policy of the method that is called.
    func admit(_ key: String, cost: Int, carrying: CarriedUnits) async throws(RedisError) -> Admission
}

extension RateLimiter {
    package func admit(_ key: String, cost: Int = 1) async throws(RedisError) -> Admission {
        try await admit(key, cost: cost, carrying: .none)
    }

    /// Reads the three numbers that each limiter's script answers with: {1, remaining, µs until one more is free} or
    /// {0, remaining, µs until the call would fit}.
    func admission(_ reply: RESPValue) throws(RedisError) -> Admission {
        guard let values = reply.array, values.count == 3, let isAdmitted = values[0].integer,
            let remaining = values[1].integer, let wait = values[2].integer
        else { throw .unexpectedReply(to: "EVALSHA") }
        return isAdmitted == 1
            ? .admitted(remaining: Int(remaining), resetAfter: .microseconds(wait))
            : .refused(retryAfter: .microseconds(wait))
    }
}
