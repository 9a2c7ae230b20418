import Foundation
import Redis
import Resilience
import TestSupport
import Testing
import Time

/// Sessions of one account, from the oldest to the youngest.
private let (account, old, middle, young) = (UUIDv7.make(), UUIDv7.make(), UUIDv7.make(), UUIDv7.make())

@Suite struct `A token blocklist` {
    private let soon = Instant.now() + .seconds(900)

    /// Lends a list that is known to be complete, and so speaks for sessions that are not on it.
    private func withBlocklist(
        flags: [String] = [], clockSkew: Duration = .seconds(60), _ body: (TokenBlocklist, Redis, RedisServer) async throws -> Void
    ) async throws {
        try await withRedis(.durable, flags: flags) { redis, server in
            let blocklist = TokenBlocklist(redis: redis, clockSkew: clockSkew)
            #expect(try await blocklist.declareComplete(since: blocklist.run()))
            try await body(blocklist, redis, server)
        }
    }

    @Test func `refuses a session, and no other`() async throws {
        try await withBlocklist { blocklist, _, _ in
            try await blocklist.add([.session(middle, expiresAt: soon)])

            #expect(try await blocklist.standing(session: middle, of: account) == .revoked)
            #expect(try await blocklist.standing(session: old, of: account) == .standing)
            #expect(try await blocklist.standing(session: young, of: account) == .standing)
        }
    }

    @Test func `refuses an account's sessions up to one, and none that is younger`() async throws {
        try await withBlocklist { blocklist, _, _ in
            try await blocklist.add([.sessions(of: account, upTo: middle, expiresAt: soon)])

            #expect(try await blocklist.standing(session: old, of: account) == .revoked)
            #expect(try await blocklist.standing(session: middle, of: account) == .revoked)
            #expect(try await blocklist.standing(session: young, of: account) == .standing)
            #expect(try await blocklist.standing(session: old, of: UUID()) == .standing)
        }
    }

    @Test func `tells those who ask at the same moment each of its own session`() async throws {
        try await withBlocklist { blocklist, _, _ in
            let sessions = (0..<300).map { _ in UUIDv7.make() }
            let revoked = Set(sessions.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
            try await blocklist.add(revoked.map { .session($0, expiresAt: soon) })

            let answers = try await withThrowingTaskGroup { group in
                for session in sessions { group.addTask { (session, try await blocklist.standing(session: session, of: account)) } }
                return try await group.reduce(into: [UUID: TokenBlocklist.Standing]()) { $0[$1.0] = $1.1 }
            }

            for session in sessions { #expect(answers[session] == (revoked.contains(session) ? .revoked : .standing)) }
        }
    }

    @Test func `is never made narrower by what is told later`() async throws {
        try await withBlocklist { blocklist, _, _ in
            try await blocklist.add([.sessions(of: account, upTo: middle, expiresAt: soon)])
            try await blocklist.add([.sessions(of: account, upTo: old, expiresAt: soon)])

            #expect(try await blocklist.standing(session: middle, of: account) == .revoked)
        }
    }

    @Test func `lets an entry go when its tokens have expired everywhere, clocks' differences included`() async throws {
        try await withBlocklist { blocklist, redis, _ in
            try await blocklist.add([.session(old, expiresAt: .now() + .seconds(900))])
            let life = try await redis.integer(["PTTL", "blocklist:\(old.uuidString.lowercased())"])

            #expect((950_001...960_000).contains(life))
        }
    }

    @Test func `does not refuse any more after its time`() async throws {
        try await withBlocklist(clockSkew: .zero) { blocklist, redis, _ in
            try await blocklist.add([.session(old, expiresAt: .now() + .milliseconds(30))])
            // Redis tells by itself when the key has gone; no clock of ours decides.
            while try await redis.integer(["PTTL", "blocklist:\(old.uuidString.lowercased())"]) >= 0 { await Task.yield() }

            #expect(try await blocklist.standing(session: old, of: account) == .standing)
        }
    }

    @Test func `keeps nothing of what has expired already`() async throws {
        try await withRedis(.durable) { redis, _ in
            try await TokenBlocklist(redis: redis).add([.session(old, expiresAt: .now() - .seconds(61))])

            #expect(try await redis.integer(["DBSIZE"]) == 0)
        }
    }

    @Test func `refuses for the longest time that was asked for`() async throws {
        try await withBlocklist { blocklist, redis, _ in
            for seconds in [10, 900, 10] { try await blocklist.add([.session(old, expiresAt: .now() + .seconds(seconds))]) }

            #expect(try await redis.integer(["PTTL", "blocklist:\(old.uuidString.lowercased())"]) > 900_000)
        }
    }

    @Test func `takes thousands at once`() async throws {
        try await withBlocklist { blocklist, redis, _ in
            let sessions = (0..<2_500).map { _ in UUIDv7.make() }

            try await blocklist.add(sessions.map { .session($0, expiresAt: soon) })

            #expect(try await redis.integer(["DBSIZE"]) == 2_503)
            for session in [sessions[0], sessions[999], sessions[1_000], sessions[2_499]] {
                #expect(try await blocklist.standing(session: session, of: account) == .revoked)
            }
        }
    }

    // MARK: Whether it is complete

    @Test func `speaks for nobody before it was filled`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis)

            let standing = try await blocklist.standing(session: old, of: account)
            let isComplete = try await blocklist.isComplete()

            #expect(standing == .unknown && !isComplete)
        }
    }

    @Test func `refuses what is on it also while it is not complete`() async throws {
        try await withBlocklist { blocklist, _, _ in
            try await blocklist.add([.session(old, expiresAt: soon)])
            try await blocklist.declareIncomplete()

            #expect(try await blocklist.standing(session: old, of: account) == .revoked)
            #expect(try await blocklist.standing(session: young, of: account) == .unknown)
        }
    }

    @Test func `speaks for nobody after Redis was restarted, though it has kept its file`() async throws {
        try await withBlocklist(flags: ["--appendonly", "yes", "--appendfsync", "always"]) { blocklist, _, server in
            try await blocklist.add([.session(old, expiresAt: soon)])
            let before = try await blocklist.run()

            try await server.kill()
            try await server.launch()
            // The first commands may meet the connection that died; the answer must come from the server.
            let standing = await retried { try await blocklist.standing(session: young, of: account) }

            #expect(standing == .unknown)
            #expect(try await !blocklist.declareComplete(since: before))
            #expect(try await blocklist.declareComplete(since: blocklist.run()))
            #expect(try await blocklist.standing(session: old, of: account) == .revoked)
            #expect(try await blocklist.standing(session: young, of: account) == .standing)
        }
    }

    @Test func `speaks for nobody after Redis was emptied, or has forgotten its scripts`() async throws {
        try await withBlocklist { blocklist, redis, _ in
            try await redis.send(["FLUSHALL"])
            #expect(try await blocklist.standing(session: young, of: account) == .unknown)

            #expect(try await blocklist.declareComplete(since: blocklist.run()))
            try await redis.send(["SCRIPT", "FLUSH"])
            #expect(try await blocklist.standing(session: young, of: account) == .unknown)
        }
    }

    @Test func `notices that Redis has evicted since`() async throws {
        try await withBlocklist { blocklist, redis, _ in
            let before = try await blocklist.run()
            for number in 0..<200 { try await redis.set("ballast:\(number)", to: String(repeating: "x", count: 10_000)) }

            // What the role's check at connecting cannot see: an operator changes the policy of a server that runs.
            try await redis.send(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
            try await redis.send(["CONFIG", "SET", "maxmemory", "1500000"])
            try await redis.set("one more", to: "")

            #expect(try await blocklist.run() != before)
            #expect(try await !blocklist.declareComplete(since: before))
        }
    }

    // MARK: When it cannot be asked

    @Test func `is an error, and not free, when Redis cannot be asked`() async throws {
        try await withBlocklist { blocklist, _, server in
            try await server.kill()

            await #expect(throws: RedisError.self) { try await blocklist.standing(session: old, of: account) }
            await #expect(throws: RedisError.self) { try await blocklist.add([.session(old, expiresAt: soon)]) }
        }
    }

    @Test func `is told of a revocation for so long and no longer while Redis says nothing`() async throws {
        try await withRedis(.durable) { redis, server in
            let blocklist = TokenBlocklist(redis: redis, lease: .milliseconds(1), patience: .milliseconds(100))
            try await redis.ping()
            try await server.suspend()

            let error = await #expect(throws: RedisError.self) { try await blocklist.revoke([.session(old, expiresAt: soon)]) }

            #expect(error?.code == .timeout)
            // The connection, whose own time is a minute, has not been given up.
            #expect(redis.inFlight == 1)
            try await server.resume()
        }
    }

    @Test func `is an error when the server may evict it`() async throws {
        try await withRedis(.durable, flags: ["--maxmemory-policy", "volatile-ttl"]) { redis, _ in
            let error = await #expect(throws: RedisError.self) {
                try await TokenBlocklist(redis: redis).add([.session(old, expiresAt: soon)])
            }

            #expect(error?.code == .evictingServer)
        }
    }

    @Test func `is an error when the server is full and must not evict`() async throws {
        try await withRedis(.durable, flags: ["--maxmemory", "1"]) { redis, _ in
            let error = await #expect(throws: RedisError.self) {
                try await TokenBlocklist(redis: redis).add([.session(old, expiresAt: soon)])
            }

            #expect(error?.code == .server("OOM"))
        }
    }

    /// Asks again while the connection is being made anew.
    private func retried<Value>(_ body: () async throws -> Value) async -> Value? {
        while !Task.isCancelled {
            do { return try await body() } catch { await Task.yield() }
        }
        return nil
    }
}
