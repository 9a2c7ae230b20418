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
        // Two runs may begin in one microsecond, and one is for several callers; the random part keeps their members apart.
        let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
        let reply = try await redis.evaluate(
            sharing: Self.script, key: prefix + key,
            arguments: [
                limit.windowMicroseconds, limit.units, min(cost, limit.units), carried.owed, carried.used, nonce,
            ])
        return try admission(reply)
    }

    /// One run for all callers that wait at the same moment. What has left the window is looked for at the oldest unit and dropped only
    /// where there is some, and what a clock that was set back has left only where it is in the way: each command costs as much as the
    /// rest of a caller's share.
    private static let script = RedisScript(
        answering: 1, arguments: 6,
        """
        local call, max = redis.call, math.max
        local time = call('TIME')
        local now = time[1] * 1000000 + time[2]
        local score = string.format('%.0f', now)

        -- When the unit of this rank was admitted, as text.
        local function admitted(key, rank) return call('ZRANGE', key, rank, rank, 'WITHSCORES')[2] end

        local function leaves(at, window) return at and max(at + window - now, 1) or window end

        local function add(key, window, count, nonce)
            for unit = 1, count do call('ZADD', key, score, nonce .. unit) end
            call('PEXPIRE', key, math.ceil(window / 1000))
        end

        local function answer(key, window, limit, cost, owed, known, nonce)
            window, limit, cost, owed, known = window + 0, limit + 0, cost + 0, owed + 0, known + 0
            local oldest, used = admitted(key, 0), 0
            if oldest then
                if oldest + window <= now then
                    call('ZREMRANGEBYSCORE', key, '-inf', now - window)
                    oldest = admitted(key, 0)
                end
                if oldest then used = call('ZCARD', key) end
                if max(known, used) + owed + cost > limit then
                    -- Only a clock that was set back can have left these; they would block the key until it has caught up.
                    used = used - call('ZREMRANGEBYSCORE', key, string.format('(%.0f', now + window), '+inf')
                    if used == 0 then oldest = nil end
                end
            end

            local told = math.min(max(known - used, 0) + owed, limit - used)
            if told > 0 then
                add(key, window, told, nonce .. '+')
                oldest, used = oldest or now, used + told
            end
            if used + cost > limit then
                return {0, limit - used, leaves(admitted(key, used + cost - limit - 1), window)}
            end
            if cost > 0 then
                add(key, window, cost, nonce .. ':')
                oldest = oldest or now
            end
            return {1, limit - used - cost, leaves(oldest, window)}
        end
        """)
}
