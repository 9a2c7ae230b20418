internal import FoundationEssentials
internal import Logging
internal import Redis
internal import Synchronization
internal import Time

/// Copies of segments of threads that are in use, in the durable Redis: a hash for each thread, a field for each digest.
///
/// The table is the record, and a copy is what its digest says or nothing, so every failure here is a miss. What is kept there goes when a
/// thread has not been used for `life`. Others live in the same server, who must not be told that it is full: beyond `share` of its memory nothing is added.
final class HotSegments: Sendable {
    struct Settings: Sendable {
        var life: Duration = .seconds(3_600)
        var timeout: Duration = .milliseconds(100)
        /// Of `maxmemory`, in per cent; 0 keeps nothing.
        var share = 50
        /// More segments than a thread of 16 MiB has.
        var maxFields = 512
    }

    private struct State {
        var hasRoom = true
        var nextLook: ContinuousClock.Instant?
    }

    private let redis: Redis
    private let settings: Settings
    private let logger: Logger
    private let patience: RedisPatience
    private let state = Mutex(State())

    init(redis: Redis, settings: Settings = Settings(), logger: Logger) {
        self.redis = redis
        self.settings = settings
        patience = RedisPatience(settings.timeout)
        self.logger = logger
    }

    /// Copies were found whose bytes are not what their digests say, and are made anew. Nothing of ours does that.
    func noteDamaged(_ count: Int) {
        logger.warning("copies of checkpoints in Redis were damaged", metadata: ["copies": "\(count)"])
    }

    private static func key(_ thread: Int64, _ user: UUID) -> String {
        "checkpoints:{\(user.text):\(thread)}"
    }

    /// For each digest the content that is kept for it, if any.
    func contents(of digests: [[UInt8]], in thread: Int64, of user: UUID) async -> [[UInt8]?] {
        let nothing = [[UInt8]?](repeating: nil, count: digests.count)
        guard settings.share > 0, !digests.isEmpty else { return nothing }
        let key = Self.key(thread, user)
        var command: RedisCommand = ["HMGET", key]
        for digest in digests { command.append(digest) }
        let read = command
        let replies = await asking { redis throws(RedisError) in try await redis.send([read, ["PTTL", key]]) }
        guard let replies, case .array(let values) = replies[0], values.count == digests.count else { return nothing }
        // A write, which the server syncs to its disk: not at each read.
        if let left = replies[1].integer, left > 0, Int(left) < settings.life.millisecondsForRedis / 2 {
            _ = await asking { redis throws(RedisError) in try await redis.expire(key, after: settings.life) }
        }
        return values.map(\.bytes)
    }

    func keep(_ segments: [Segment], of thread: Int64, _ user: UUID) async {
        guard settings.share > 0, !segments.isEmpty, await hasRoom() else { return }
        var arguments: [any RedisArgument] = [settings.life.millisecondsForRedis, settings.maxFields]
        for segment in segments.suffix(settings.maxFields) {
            arguments.append(segment.head.digest)
            arguments.append(segment.content)
        }
        let given = arguments
        _ = await asking { redis throws(RedisError) in try await redis.evaluate(Self.keep, keys: [Self.key(thread, user)], arguments: given) }
    }

    /// Takes out copies that no segment is of any more.
    func forget(_ heads: [SegmentHead], of thread: Int64, _ user: UUID) async {
        guard settings.share > 0, !heads.isEmpty else { return }
        var command: RedisCommand = ["HDEL", Self.key(thread, user)]
        for head in heads { command.append(head.digest) }
        let deletion = command
        _ = await asking { redis throws(RedisError) in try await redis.send(deletion) }
    }

    /// Takes out all copies of a thread that has been deleted. While Redis is away they stay until their time is up; nobody is shown them.
    func forget(_ thread: Int64, _ user: UUID) async {
        _ = await asking { redis throws(RedisError) in try await redis.send(["UNLINK", Self.key(thread, user)]) }
    }

    /// Takes out all copies of all threads of a person. Costs a look at every key of the server.
    ///
    /// - Throws: `RedisError` while it is not known that they are gone.
    func forgetAll(of user: UUID) async throws(RedisError) {
        let keys = try await keys(of: user)
        if !keys.isEmpty { _ = try await redis.send(RedisCommand(["UNLINK"] + keys)) }
    }

    /// The hashes that there are of a person's threads.
    func keys(of user: UUID) async throws(RedisError) -> [String] {
        let pattern = "checkpoints:{\(user.text):*"
        var found: [String] = []
        var cursor = "0"
        repeat {
            let reply = try await redis.send(["SCAN", cursor, "MATCH", pattern, "COUNT", 1_000])
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array?.compactMap(\.text) else {
                throw .unexpectedReply(to: "SCAN")
            }
            found += keys
            cursor = next
        } while cursor != "0"
        return found
    }

    /// Looks at the server's memory, once a second.
    private func hasRoom() async -> Bool {
        let isTime = state.withLock { state in
            let now = ContinuousClock.now
            guard state.nextLook.map({ now >= $0 }) ?? true else { return false }
            state.nextLook = now.advanced(by: .seconds(1))
            return true
        }
        if isTime, let memory = await asking({ redis throws(RedisError) in try await redis.send(["INFO", "memory"]) }) {
            let used = memory.infoField("used_memory").flatMap { Int($0) }
            let most = memory.infoField("maxmemory").flatMap { Int($0) }
            if let used, let most {
                state.withLock { $0.hasRoom = most == 0 || used / 100 <= most / 10_000 * settings.share }
            }
        }
        return state.withLock { $0.hasRoom }
    }

    /// `nil` for every failure: the caller does without.
    private func asking<Reply: Sendable>(_ ask: (Redis) async throws(RedisError) -> Reply) async -> Reply? {
        try? await patience.ask { () async throws(RedisError) in try await ask(redis) }
    }

    // KEYS: the thread's hash. ARGV: its life in milliseconds, how many fields it may have, then digests and contents by turns.
    private static let keep = RedisScript(
        """
        local fields = (#ARGV - 2) / 2
        if redis.call('HLEN', KEYS[1]) + fields > tonumber(ARGV[2]) then redis.call('UNLINK', KEYS[1]) end
        for place = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1]) end
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        return 1
        """)
}
