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
            sharing: Self.script, key: prefix + key,
            arguments: [
                limit.windowMicroseconds, limit.units, min(cost, limit.units), carried.owed, carried.used, nonce,
            ])
        return try admission(reply)
    }

    /// One run for all callers that wait at the same moment. What has left the window is looked for at the oldest unit and dropped only
    /// where there is some, and what a clock that was set back has left only where it is in the way: each command costs as much as the
    /// rest of a caller's share. Redis writes whole numbers of up to 17 digits as they are.
    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]

        local function admit(key, window, limit, cost, owed, known, nonce)
            -- When the unit of this rank was admitted.
            local function admitted(rank)
                local entry = redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')
                return entry[2] and entry[2] + 0
            end
            local function leaves(at) return at and math.max(at + window - now, 1) or window end

            local oldest = admitted(0)
            if oldest and oldest <= now - window then
                redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
                oldest = admitted(0)
            end
            local used = oldest and redis.call('ZCARD', key) or 0
            if oldest and math.max(known, used) + owed + cost > limit then
                -- Only a clock that was set back can have left these; they would block the key until it has caught up.
                used = used - redis.call('ZREMRANGEBYSCORE', key, string.format('(%.0f', now + window), '+inf')
                if used == 0 then oldest = nil end
            end

            local function add(count, mark)
                for unit = 1, count do redis.call('ZADD', key, now, nonce .. mark .. unit) end
                if count > 0 then
                    redis.call('PEXPIRE', key, math.ceil(window / 1000))
                    oldest = oldest and math.min(oldest, now) or now
                end
                used = used + count
            end
            add(math.max(math.min(math.max(known - used, 0) + owed, limit - used), 0), '+')

            if used + cost > limit then return {0, limit - used, leaves(admitted(used + cost - limit - 1))} end
            add(cost, ':')
            return {1, limit - used, leaves(oldest)}
        end

        local answers = {}
        for i = 1, #KEYS do
            local a = 6 * i
            local isDone, answer = pcall(
                admit, KEYS[i], ARGV[a - 5] + 0, ARGV[a - 4] + 0, ARGV[a - 3] + 0, ARGV[a - 2] + 0, ARGV[a - 1] + 0, ARGV[a])
            -- What is wrong with one key is that key's answer.
            answers[i] = isDone and answer or type(answer) == 'table' and answer or {err = 'ERR ' .. tostring(answer)}
        end
        return answers
        """)
}
