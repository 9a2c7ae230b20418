package import FoundationEssentials
package import Redis
internal import Time

/// The revocations that still matter, in the durable Redis, where every program can ask for them.
///
/// A revocation lives until its tokens would have expired anyway, so the list is as long as the logouts of one token's lifetime.
/// It is only believed while Redis is known to have all of the list: whoever keeps the record has filled it (`declareComplete`), and
/// since then the server was neither restarted nor emptied. In every other case the answer is `.unknown`, and the record has to be asked.
package struct TokenBlocklist: Sendable {
    package enum Standing: Sendable, Hashable {
        case standing
        case revoked
        /// Redis answers, and may have lost what it was told.
        case unknown
    }

    private let redis: Redis
    private let clockSkew: Duration
    private static let prefix = "blocklist:"
    private static let completeness = "blocklist:complete"

    /// - Parameters:
    ///   - redis: a client of the durable role.
    ///   - clockSkew: how much longer than its tokens an entry stays; no less than the leeway of the verifiers, which
    ///     accept a token for that long after it has expired.
    package init(redis: Redis, clockSkew: Duration = .seconds(60)) {
        precondition(redis.role == .durable, "the blocklist belongs into the Redis that never evicts")
        self.redis = redis
        self.clockSkew = clockSkew
    }

    // MARK: Asking

    /// Whether a session of an account still stands. One round trip, and one run of a script with all who ask at the same moment.
    package func standing(session: UUID, of account: UUID) async throws(RedisError) -> Standing {
        let reply: RESPValue
        do throws(RedisError) {
            // A server that has forgotten the script is not taught it again.
            reply = try await redis.evaluate(
                sharing: Self.asking, key: Self.key(session), arguments: [Self.key(account), session.text], teachingIt: false)
        } catch where error.code == .server("NOSCRIPT") {
            return .unknown
        }
        switch reply.integer {
        case 0: return .standing
        case 1: return .revoked
        case -1: return .unknown
        default: throw .unexpectedReply(to: "EVALSHA")
        }
    }

    /// Redis keeps scripts in memory alone: that this one is known says that the server has not been restarted since the list was
    /// filled; the key, that it has not been emptied. Of each session it is given the account's key and the session's id.
    private static let asking = RedisScript(
        """
        local wanted = {'\(completeness)'}
        for i = 1, #KEYS do
            wanted[2 * i] = KEYS[i]
            wanted[2 * i + 1] = ARGV[2 * i - 1]
        end
        local found = redis.call('MGET', unpack(wanted))
        local otherwise = found[1] and 0 or -1
        local answers = {}
        for i = 1, #KEYS do
            local account = found[2 * i + 1]
            answers[i] = (found[2 * i] or account and ARGV[2 * i] <= account) and 1 or otherwise
        end
        return answers
        """)

    // MARK: Telling

    /// Lists revocations. Once this returns they are in Redis and on their way to the disk (AOF). Telling again never shortens or
    /// narrows what was told before. One round trip for each thousand.
    package func add(_ revocations: [Revocation]) async throws(RedisError) {
        let now = Instant.now()
        let entries = revocations.compactMap { revocation in
            let life = revocation.expiresAt + clockSkew - now
            return life > .zero ? (revocation, life.millisecondsForRedis) : nil
        }
        for start in stride(from: 0, to: entries.count, by: 1_000) {
            let some = entries[start..<min(start + 1_000, entries.count)]
            let arguments = some.flatMap { entry -> [any RedisArgument] in [entry.0.upTo?.text ?? "", entry.1] }
            _ = try await redis.evaluate(Self.adding, keys: some.map { Self.key($0.0.id) }, arguments: arguments)
        }
    }

    private static let adding = RedisScript(
        """
        for place, key in ipairs(KEYS) do
            local value, life = ARGV[place * 2 - 1], ARGV[place * 2]
            local known = redis.call('GET', key)
            if not known then
                redis.call('SET', key, value, 'PX', life)
            else
                if value > known then redis.call('SET', key, value, 'KEEPTTL') end
                redis.call('PEXPIRE', key, life, 'GT')
            end
        end
        """)

    // MARK: Being complete

    /// What tells two states of a server apart of which the later may lack what the earlier had.
    package struct Run: Sendable, Hashable {
        let server: String
        let evicted: String
    }

    /// The server's present state. Throws as commands do.
    package func run() async throws(RedisError) -> Run {
        let replies = try await redis.send([["INFO", "server"], ["INFO", "stats"]])
        guard let server = replies[0].infoField("run_id"), let evicted = replies[1].infoField("evicted_keys")
        else { throw .unexpectedReply(to: "INFO") }
        return Run(server: server, evicted: evicted)
    }

    /// Whether what is not listed is known to stand.
    package func isComplete() async throws(RedisError) -> Bool {
        try await standing(session: Self.nobody, of: Self.nobody) == .standing
    }

    private static let nobody = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// Says that all there is has been listed since the server was in this state. `false`, and nothing is said, if it is in
    /// another by now.
    package func declareComplete(since run: Run) async throws(RedisError) -> Bool {
        guard try await self.run() == run else { return false }
        let replies = try await redis.send([["SCRIPT", "LOAD", Self.asking.source], ["SET", Self.completeness, "1"]])
        for case .error(let error) in replies { throw .server(error, command: "SCRIPT") }
        guard try await self.run() == run else {
            try await declareIncomplete()
            return false
        }
        return true
    }

    /// Says that something is not listed.
    package func declareIncomplete() async throws(RedisError) {
        try await redis.delete(Self.completeness)
    }

    private static func key(_ id: UUID) -> String { prefix + id.text }
}
