internal import Redis
internal import Time

/// What the replicas keep together in Redis, and how they agree who fetches what is missing.
///
/// Three keys belong to an entry: its bytes; a lease, held by the one process that fetches them, without which nothing is
/// kept; and the writers that are changing what they were made of. A writer takes bytes and lease away, so that who fetched
/// before cannot keep what is old by now (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1). Each step
/// is one script.
struct SharedTier: Sendable {
    let redis: Redis
    let cache: String
    private let patience: RedisPatience

    init(redis: Redis, cache: String, timeout: Duration) {
        self.redis = redis
        self.cache = cache
        patience = RedisPatience(timeout)
    }

    enum Finding {
        case found([UInt8])
        /// The caller alone fetches it, and may keep it with its token.
        case granted
        /// Another process fetches it.
        case taken
        /// Somebody is changing what it is made of, so that it is not kept now.
        case changing
        /// Redis was not asked or did not answer, which says nothing.
        case failed
    }

    /// The three keys share a slot of a cluster.
    private static func keys(_ cache: String, _ key: CacheKey) -> [String] {
        let stem = "cache:{\(cache):\(key.text)}:"
        return [stem + "value", stem + "lease", stem + "writers"]
    }

    /// - Parameter anew: asks for the lease also when there are bytes, which stay until others take their place.
    func find(_ key: CacheKey, token: String, leaseLife: Duration, anew: Bool) async -> Finding {
        let reply = await run(Self.find, key, [token, leaseLife.millisecondsForRedis, anew ? 1 : 0])
        switch reply {
        case .bytes(let bytes)?: return .found(bytes)
        case .integer(1)?: return .granted
        case .integer(2)?: return .taken
        case .integer(3)?: return .changing
        default: return .failed
        }
    }

    /// Keeps what was fetched under the lease. `false` if the lease is not the caller's any more, so that the value may be older
    /// than a change; `nil` if Redis does not say.
    func keep(_ bytes: [UInt8], for key: CacheKey, token: String, life: Duration) async -> Bool? {
        guard case .integer(let kept)? = await finish(Self.keep, key, [token, bytes, life.millisecondsForRedis]) else { return nil }
        return kept == 1
    }

    /// Gives the lease back when nothing came of it, so that others need not wait for its end.
    func giveUp(_ key: CacheKey, token: String) async {
        _ = await finish(Self.giveUp, key, [token])
    }

    /// Takes bytes out that nobody can read.
    func discard(_ key: CacheKey) async {
        _ = await run(Self.discard, key, [])
    }

    /// Takes entries away, of this cache and of others, and tells every replica that has them; with a writer, nothing is kept until it has
    /// ended or its time is up. `false` if Redis does not say that it did. Also asks a server that has just failed, and for a caller that has given
    /// up. One run of a script with those that others change at the same moment.
    func beginChange(
        of entries: [CacheEntry], writer: String, life: Duration, telling message: (CacheEntry) -> [UInt8]
    ) async -> Bool {
        await run(Self.beginChange, entries) { [writer, life.millisecondsForRedis, ChangeMessage.channel(of: $0.cache), message($0)] }
    }

    func endChange(of entries: [CacheEntry], writer: String, telling message: (CacheEntry) -> [UInt8]) async -> Bool {
        await run(Self.endChange, entries) { [writer, ChangeMessage.channel(of: $0.cache), message($0)] }
    }

    private func run(
        _ script: RedisScript, _ entries: [CacheEntry], _ arguments: (CacheEntry) -> [any RedisArgument]
    ) async -> Bool {
        let shares = entries.map { (keys: Self.keys($0.cache, $0.key), arguments: arguments($0)) }
        // A deadline that has passed is why most give up, and says nothing against telling of the change.
        let answers = try? await Deadline.with(nil) { () async throws(RedisError) in
            try await patience.ask(always: true) { () async throws(RedisError) in
                try await redis.finish(sharing: script, shares)
            }
        }
        return answers != nil
    }

    /// Ends a lease, which others wait for: also for a caller that was cancelled or whose deadline has passed, which is why most fetching fails.
    private func finish(_ script: RedisScript, _ key: CacheKey, _ arguments: [any RedisArgument]) async -> RESPValue? {
        await Task {
            await Deadline.with(nil) { await run(script, key, arguments) }
        }.value
    }

    /// `nil` for every failure: the caller does without.
    private func run(_ script: RedisScript, _ key: CacheKey, _ arguments: [any RedisArgument]) async -> RESPValue? {
        let keys = Self.keys(cache, key)
        return try? await patience.ask { () async throws(RedisError) in
            try await redis.evaluate(script, keys: keys, arguments: arguments)
        }
    }
}

// KEYS: value, lease, writers.
extension SharedTier {
    private static let find = RedisScript(
        """
        local value = ARGV[3] == '0' and redis.call('GET', KEYS[1])
        if value then return value end
        if redis.call('EXISTS', KEYS[3]) == 1 then
            local time = redis.call('TIME')
            redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
            if redis.call('EXISTS', KEYS[3]) == 1 then return 3 end
        end
        if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
        return 2
        """)

    private static let keep = RedisScript(
        """
        if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        redis.call('DEL', KEYS[2])
        return 1
        """)

    private static let giveUp = RedisScript(
        """
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
        return 1
        """)

    private static let discard = RedisScript("return redis.call('DEL', KEYS[1])")

    /// Several may change an entry at a time, and one that dies is forgotten when its time is up.
    private static let beginChange = RedisScript(
        answering: 3, arguments: 4,
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        local function answer(value, lease, writers, writer, life, channel, message)
            redis.call('DEL', value, lease)
            redis.call('ZADD', writers, now + life, writer)
            if redis.call('PTTL', writers) < life + 0 then redis.call('PEXPIRE', writers, life) end
            redis.call('PUBLISH', channel, message)
            return 1
        end
        """)

    private static let endChange = RedisScript(
        answering: 3, arguments: 3,
        """
        local function answer(value, lease, writers, writer, channel, message)
            redis.call('ZREM', writers, writer)
            redis.call('DEL', value, lease)
            redis.call('PUBLISH', channel, message)
            return 1
        end
        """)
}
