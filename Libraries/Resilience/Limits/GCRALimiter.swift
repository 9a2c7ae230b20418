package import Redis
internal import Time

/// Admits up to `limit.units` at once and one more each `window / units`, counted for each key across all replicas, in
/// constant memory: one integer a key.
///
/// The integer is the microsecond on Redis' clock at which the last unit in use becomes free (the "theoretical arrival
/// time" of the generic cell rate algorithm, ITU-T I.371). Units become free one by one, so that a caller who has used
/// all and goes on at the pace of the limit may use up to twice the limit in its first window;
/// `SlidingWindowLimiter` is exact there, for the memory of each unit.
package struct GCRALimiter: RateLimiter {
    package let limit: RateLimit
    private let redis: Redis
    private let prefix: String

    /// - Parameters:
    ///   - redis: a client of the cache role: a count that is evicted only admits more for one window.
    ///   - limit: a unit takes a microsecond at least, so a window of a second is of a million units at most.
    ///   - name: keeps the counts of different limiters apart. It is part of every key in memory: keep it short.
    package init(redis: Redis, limit: RateLimit, name: String) {
        self.redis = redis
        self.limit = limit
        prefix = "rate:\(name):"
    }

    package func admit(_ key: String, cost: Int, carrying carried: CarriedUnits) async throws(RedisError) -> Admission {
        precondition(cost >= 0, "a cost is not negative")
        let reply = try await redis.evaluate(
            Self.script, keys: [prefix + key],
            arguments: [interval, limit.units, min(cost, limit.units), carried.owed, carried.used])
        return try admission(reply)
    }

    /// Microseconds in which one unit becomes free, rounded up so that all arithmetic is in whole numbers.
    private var interval: Int64 { limit.interval }

    private static let script = RedisScript(
        """
        local key = KEYS[1]
        local interval, limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local owed, used = tonumber(ARGV[4]), tonumber(ARGV[5])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local latest = now + interval * limit

        local free = tonumber(redis.call('GET', key) or now)
        -- Only a clock that was set back can have left a later one; it would block the key until it has caught up.
        if free < now or free > latest then free = now end
        local carries = owed > 0 or used > 0
        if carries then free = math.min(math.max(free, now + used * interval) + owed * interval, latest) end

        local function keep(moment)
            redis.call('SET', key, string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000))
        end
        local after = free + cost * interval
        if after > latest then
            if carries then keep(free) end
            return {0, math.floor((latest - free) / interval), after - latest}
        end
        if after > now and (cost > 0 or carries) then keep(after) end
        local rest = (after - now) % interval
        return {1, math.floor((latest - after) / interval), rest > 0 and rest or interval}
        """)
}

extension RateLimit {
    /// Microseconds in which one unit becomes free, rounded up to whole ones.
    var interval: Int64 { (windowMicroseconds + Int64(units) - 1) / Int64(units) }
}
