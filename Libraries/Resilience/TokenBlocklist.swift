package import Redis
package import Time

/// Tokens that must not be accepted any more although they have not expired: logged out, stolen, replaced.
///
/// An entry lives until its token would have expired anyway, so the list is as long as the logouts of one token's
/// lifetime. It lies in the durable Redis, which never evicts; what cannot be asked is an error here and never "not
/// blocked". Whoever calls decides what to do about an error, by its method's policy.
package struct TokenBlocklist: Sendable {
    private let redis: Redis
    private let clockSkew: Duration
    private static let prefix = "blocklist:"

    /// - Parameters:
    ///   - redis: a client of the durable role.
    ///   - clockSkew: how much longer than its token an entry stays; no less than the leeway of the verifiers, which
    ///     accept a token for that long after it has expired.
    package init(redis: Redis, clockSkew: Duration = .seconds(60)) {
        precondition(redis.role == .durable, "the blocklist belongs into the Redis that never evicts")
        self.redis = redis
        self.clockSkew = clockSkew
    }

    /// Blocks an id (of a token, or of a session with all its tokens) until this instant. Once this returns, the entry
    /// is in Redis and on its way to the disk (AOF). Blocking again never shortens an earlier entry.
    package func block(_ tokenID: String, until expiry: Instant) async throws(RedisError) {
        let life = (expiry + clockSkew) - .now()
        guard life > .zero else { return }
        let key = Self.prefix + tokenID
        let milliseconds = life.millisecondsForRedis
        let replies = try await redis.transaction([
            ["SET", key, "1", "PX", milliseconds, "NX"],
            ["PEXPIRE", key, milliseconds, "GT"],
        ])
        for case .error(let error) in replies { throw .server(error, command: "SET") }
    }

    /// Whether this id is blocked. One round trip.
    package func isBlocked(_ tokenID: String) async throws(RedisError) -> Bool {
        try await redis.exists([Self.prefix + tokenID]) > 0
    }

    /// Whether any of these ids is blocked, such as a token's own and its session's. One round trip.
    package func isAnyBlocked(_ ids: [String]) async throws(RedisError) -> Bool {
        try await redis.exists(ids.map { Self.prefix + $0 }) > 0
    }
}
