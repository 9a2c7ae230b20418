package import FoundationEssentials
package import Redis
internal import Time

/// The revocations that still matter, in the durable Redis, where every program can ask for them.
///
/// A revocation lives until its tokens would have expired anyway, so the list is as long as the logouts of one token's lifetime.
/// It is only believed while Redis is known to have all of the list: whoever keeps the record has filled it (`declareComplete`), and
/// since then the server was neither restarted nor emptied. In every other case the answer is `.unknown`, and the record has to be asked.
///
/// A program that follows the list (`run`) asks of a session once and then knows that it stands until it hears otherwise, so that most calls ask nobody
/// (`knows`). A revocation is acknowledged when every program has heard of it, or would have to ask (`revoke`).
package struct TokenBlocklist: Sendable {
    package enum Standing: Sendable, Hashable {
        case standing
        case revoked
        /// Redis answers, and may have lost what it was told.
        case unknown
    }

    private let redis: Redis
    private let clockSkew: Duration
    private let patience: Duration
    private let known: StandingSessions
    private static let prefix = "blocklist:"
    private static let completeness = "blocklist:complete"
    /// How many revocations have been told, and the last of them.
    private static let (changes, recent) = ("blocklist:changes", "blocklist:recent")

    /// - Parameters:
    ///   - redis: a client of the durable role.
    ///   - clockSkew: how much longer than its tokens an entry stays; no less than the leeway of the verifiers, which
    ///     accept a token for that long after it has expired.
    ///   - lease: for how long a program goes by what it last heard, and who revokes waits. The same in all programs.
    ///   - patience: how long Redis may take to be told of a revocation that somebody waits for. With the lease it is well within the deadline of a
    ///     log-out, which then says what became of it.
    package init(
        redis: Redis, clockSkew: Duration = .seconds(60), lease: Duration = .milliseconds(200), patience: Duration = .seconds(2)
    ) {
        precondition(redis.role == .durable, "the blocklist belongs into the Redis that never evicts")
        self.redis = redis
        self.clockSkew = clockSkew
        self.patience = patience
        known = StandingSessions(lease: lease)
    }

    // MARK: Asking

    /// Whether a session of an account is known to stand, without asking: it was asked for a moment ago, and no revocation has been acknowledged since
    /// that meant it.
    package func knows(_ session: UUID, of account: UUID) -> Bool { known.contains(session, of: account) }

    /// Whether a session of an account still stands. One round trip, and one run of a script with all who ask at the same moment.
    package func standing(session: UUID, of account: UUID) async throws(RedisError) -> Standing {
        let askedAt = ContinuousClock.now
        let reply: RESPValue
        do throws(RedisError) {
            // A server that has forgotten the script is not taught it again.
            reply = try await redis.evaluate(
                sharing: Self.asking, key: Self.key(session), arguments: [Self.key(account), session.text], teachingIt: false)
        } catch where error.code == .server("NOSCRIPT") {
            return .unknown
        }
        guard let answer = reply.array, answer.count == 3, let place = Self.place(answer[1...]) else { throw .unexpectedReply(to: "EVALSHA") }
        switch answer[0].integer {
        case 0:
            known.learn(session, of: account, at: place, askedAt: askedAt)
            return .standing
        case 1: return .revoked
        case -1: return .unknown
        default: throw .unexpectedReply(to: "EVALSHA")
        }
    }

    /// Redis keeps scripts in memory alone: that this one is known says that the server has not been restarted since the list was
    /// filled; the key, that it has not been emptied. Of each session it is given the account's key and the session's id.
    private static let asking = RedisScript(
        """
        local wanted = {'\(completeness)', '\(changes)'}
        for i = 1, #KEYS do
            wanted[2 * i + 1] = KEYS[i]
            wanted[2 * i + 2] = ARGV[2 * i - 1]
        end
        local found = redis.call('MGET', unpack(wanted))
        local filling, changes = found[1] or '', tonumber(found[2] or 0)
        local otherwise = found[1] and 0 or -1
        local answers = {}
        for i = 1, #KEYS do
            local account = found[2 * i + 2]
            local isRevoked = found[2 * i + 1] or account and ARGV[2 * i] <= account
            answers[i] = {isRevoked and 1 or otherwise, filling, changes}
        end
        return answers
        """)

    private static func place(_ reply: ArraySlice<RESPValue>) -> StandingSessions.Place? {
        guard let filling = reply[reply.startIndex].text, let changes = reply[reply.startIndex + 1].integer else { return nil }
        return StandingSessions.Place(filling: filling, changes: changes)
    }

    // MARK: Following

    /// Follows the list for as long as sessions are asked for. Runs until it is cancelled; without it each call asks a moment later.
    package func run(every pause: Duration = .milliseconds(50)) async {
        // Cancellation only ends the wait; the loop's condition ends the loop.
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            // Where Redis cannot be asked, what is known comes to its end by itself.
            try? await follow()
        }
    }

    private func follow() async throws(RedisError) {
        guard let from = known.placeToFollow() else { return }
        let askedAt = ContinuousClock.now
        let reply: RESPValue
        do throws(RedisError) {
            reply = try await redis.evaluate(
                sharing: Self.following, key: Self.changes, arguments: [from.changes], teachingIt: false)
        } catch where error.code == .server("NOSCRIPT") {
            return known.forget()
        }
        guard let answer = reply.array, answer.count == 3, let place = Self.place(answer[..<2]), let told = answer[2].array
        else { throw .unexpectedReply(to: "EVALSHA") }
        known.follow(told.compactMap { $0.text.flatMap(Self.told) }, from: from, to: place, askedAt: askedAt)
    }

    /// What has been told behind a number of changes, as far as it is still there.
    private static let following = RedisScript(
        """
        local answers = {}
        for i = 1, #KEYS do
            local filling, changes = redis.call('GET', '\(completeness)') or '', tonumber(redis.call('GET', KEYS[i]) or 0)
            local missed = changes - tonumber(ARGV[i])
            answers[i] = {filling, changes, missed > 0 and redis.call('LRANGE', '\(recent)', -missed, -1) or {}}
        end
        return answers
        """)

    /// An entry of the recent ones: the id, and behind a blank up to which session, of an account.
    private static func told(_ entry: String) -> (id: UUID, upTo: UUID?)? {
        let parts = entry.split(separator: " ")
        guard let id = parts.first.flatMap({ UUID(uuidString: String($0)) }) else { return nil }
        guard parts.count == 2 else { return (id, nil) }
        return UUID(uuidString: String(parts[1])).map { (id, $0) }
    }

    // MARK: Telling

    /// Lists revocations, and waits until no program goes by what it knew before: once this returns, or throws a `RedisError`, what is listed or on
    /// record is refused by whoever can ask. Takes as long as a lease, and longer by the patience where Redis says nothing; a task that is cancelled
    /// does not wait, and must acknowledge nothing.
    package func revoke(_ revocations: [Revocation]) async throws {
        guard !revocations.isEmpty else { return }
        let result: Result<Void, RedisError>
        do throws(RedisError) {
            try await Deadline.with(.earlier(.current, .after(patience))) { () async throws(RedisError) in try await add(revocations) }
            result = .success(())
        } catch { result = .failure(error) }
        try await Task.sleep(for: known.lease)
        try result.get()
    }

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
            redis.call('RPUSH', '\(recent)', string.sub(key, \(prefix.count + 1)) .. ' ' .. value)
        end
        redis.call('INCRBY', '\(changes)', #KEYS)
        redis.call('LTRIM', '\(recent)', -1000, -1)
        redis.call('EXPIRE', '\(recent)', 10)
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
        // The filling has its name before the scripts are known, so nobody takes it for the one before.
        let replies = try await redis.send([
            ["SET", Self.completeness, UUID().text], ["SCRIPT", "LOAD", Self.asking.source], ["SCRIPT", "LOAD", Self.following.source],
        ])
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
