package import Redis
internal import Time

/// Admits up to `limit` units of cost in any window of this length, counted for each key across all replicas.
///
/// What was admitted stands in a sorted set, one member a unit, scored with its microsecond on Redis' own clock. One
/// script drops what has left the window, counts, and adds, so that no two callers see the same place free. An exact
/// window costs about 100 bytes a unit that is in it: it is for limits of tens to thousands.
package struct SlidingWindowLimiter: RateLimiter {
    package let limit: RateLimit
    private let redis: Redis
    private let prefix: String

    /// - Parameters:
    ///   - redis: a client of the cache role: a count that is evicted only admits more for one window.
    ///   - name: keeps the counts of different limiters apart.
    package init(redis: Redis, limit: RateLimit, name: String) {
        self.redis = redis
        self.limit = limit
        prefix = "limit:\(name):"
    }

    package func admit(_ key: String, cost: Int, carrying carried: CarriedUnits) async throws(RedisError) -> Admission {
        precondition(cost >= 0, "a cost is not negative")
        // Two scripts may run within one microsecond; the random part keeps their members apart.
        let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
        let reply = try await redis.evaluate(
            Self.script, keys: [prefix + key],
            arguments: [
                limit.windowMicroseconds, limit.units, min(cost, limit.units), nonce, carried.owed, carried.used,
            ])
        return try admission(reply)
    }

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

        local function add(count, mark)
            for unit = 1, count do
                redis.call('ZADD', key, string.format('%.0f', now), ARGV[4] .. mark .. unit)
            end
            if count > 0 then redis.call('PEXPIRE', key, math.ceil(window / 1000)) end
            used = used + count
        end
        local owed, known = tonumber(ARGV[5]), tonumber(ARGV[6])
        add(math.max(math.min(math.max(known - used, 0) + owed, limit - used), 0), '+')

        if used + cost > limit then
            return {0, limit - used, leaves(used + cost - limit - 1)}
        end
        add(cost, ':')
        return {1, limit - used, leaves(0)}
        """)
}
