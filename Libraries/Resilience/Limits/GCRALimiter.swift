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
            sharing: Self.script, key: prefix + key,
            arguments: [interval, limit.units, min(cost, limit.units), carried.owed, carried.used])
        return try admission(reply)
    }

    /// Microseconds in which one unit becomes free, rounded up so that all arithmetic is in whole numbers.
    private var interval: Int64 { limit.interval }

    /// One run for all callers that wait at the same moment, in which the time is asked for once. Arithmetic makes numbers of the
    /// arguments: `tonumber` and `string.format` would cost a seventh of the script. Redis writes whole numbers of up to 17 digits
    /// as they are.
    private static let script = RedisScript(
        answering: 1, arguments: 5,
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]

        local function answer(key, interval, limit, cost, owed, used)
            interval, limit, cost, owed, used = interval + 0, limit + 0, cost + 0, owed + 0, used + 0
            local latest = now + interval * limit
            local free = (redis.call('GET', key) or now) + 0
            -- Only a clock that was set back can have left a later one; it would block the key until it has caught up.
            if free < now or free > latest then free = now end
            local isTold = owed > 0 or used > 0
            if isTold then free = math.min(math.max(free, now + used * interval) + owed * interval, latest) end

            local after = free + cost * interval
            local isAdmitted = after <= latest
            local kept = isAdmitted and after or free
            if kept > now and (isTold or isAdmitted and cost > 0) then
                redis.call('SET', key, kept, 'PX', math.ceil((kept - now) / 1000))
            end
            if not isAdmitted then return {0, math.floor((latest - free) / interval), after - latest} end
            local rest = (after - now) % interval
            return {1, math.floor((latest - after) / interval), rest > 0 and rest or interval}
        end
        """)
}

extension RateLimit {
    /// Microseconds in which one unit becomes free, rounded up to whole ones.
    var interval: Int64 { (windowMicroseconds + Int64(units) - 1) / Int64(units) }
}
