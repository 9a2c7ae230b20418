package import Redis
internal import Time

/// Admits up to `limit` units of cost in any window of this length, counted for each key across all replicas.
///
/// What was admitted stands in a sorted set, one member a unit, scored with its microsecond on Redis' own clock. One
/// script drops what has left the window, counts, and adds, so that no two callers see the same place free. An exact
/// window costs about 100 bytes a unit that is in it: it is for limits of tens to thousands.
package struct SlidingWindowLimiter: Sendable {
    package enum Admission: Sendable, Hashable {
        /// `remaining` units are free now; `resetAfter` from now the oldest unit in the window becomes free.
        case admitted(remaining: Int, resetAfter: Duration)
        /// So many units are free as the call costs after `retryAfter`, if nobody else takes them.
        case refused(retryAfter: Duration)
    }

    package let window: Duration
    package let limit: Int
    private let redis: Redis
    private let prefix: String

    /// - Parameters:
    ///   - redis: a client of the cache role: a count that is evicted only admits more for one window.
    ///   - name: keeps the counts of different limiters apart.
    package init(redis: Redis, window: Duration, limit: Int, name: String = "all") {
        precondition(window > .zero && limit > 0, "a limiter needs a window and a limit")
        self.redis = redis
        self.window = window
        self.limit = limit
        prefix = "limit:\(name):"
    }

    /// Takes `cost` units, all or none. A call that costs more than the limit takes the whole window, since it could
    /// never be admitted otherwise; a cost of zero asks and takes nothing. One round trip.
    ///
    /// An error means that nothing is known: admitting or refusing then is the policy of the method that is called.
    package func admit(_ key: String, cost: Int = 1) async throws(RedisError) -> Admission {
        precondition(cost >= 0, "a cost is not negative")
        // Two scripts may run within one microsecond; the random part keeps their members apart.
        let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
        let reply = try await redis.evaluate(
            Self.script, keys: [prefix + key],
            arguments: [max(1, window.wholeMicroseconds), limit, min(cost, limit), nonce])
        guard let values = reply.array, values.count == 3, let isAdmitted = values[0].integer,
            let remaining = values[1].integer, let wait = values[2].integer
        else { throw .unexpectedReply(to: "EVALSHA") }
        return isAdmitted == 1
            ? .admitted(remaining: Int(remaining), resetAfter: .microseconds(wait))
            : .refused(retryAfter: .microseconds(wait))
    }

    /// Answers {1, remaining, µs until the oldest unit leaves} or {0, remaining, µs until the call would fit}.
    private static let script = RedisScript(
        """
        local key = KEYS[1]
        local window, limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

        redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
        -- Only a clock that was set back can have left these; they would block the key until it has caught up.
        redis.call('ZREMRANGEBYSCORE', key, string.format('(%.0f', now + window), '+inf')

        local used = redis.call('ZCARD', key)
        -- When the unit of this rank leaves the window.
        local function leaves(rank)
            local entry = redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')
            return entry[2] and math.max(tonumber(entry[2]) + window - now, 1) or window
        end

        if used + cost > limit then
            return {0, limit - used, leaves(used + cost - limit - 1)}
        end
        for unit = 1, cost do
            redis.call('ZADD', key, string.format('%.0f', now), ARGV[4] .. ':' .. unit)
        end
        if cost > 0 then
            redis.call('PEXPIRE', key, math.ceil(window / 1000))
        end
        return {1, limit - used - cost, leaves(0)}
        """)
}
