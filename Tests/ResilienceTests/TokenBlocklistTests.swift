import Redis
import Resilience
import TestSupport
import Testing
import Time

@Suite struct `A blocked token` {
    @Test func `is blocked, and no other is`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis)

            try await blocklist.block("stolen", until: .now() + .seconds(900))

            #expect(try await blocklist.isBlocked("stolen"))
            #expect(try await !blocklist.isBlocked("stolen2"))
            #expect(try await blocklist.isAnyBlocked(["mine", "stolen"]))
            #expect(try await !blocklist.isAnyBlocked(["mine", "yours"]))
        }
    }

    @Test func `leaves the list when it has expired everywhere, clocks' differences included`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis, clockSkew: .seconds(60))

            try await blocklist.block("token", until: .now() + .seconds(900))
            let life = try await redis.integer(["PTTL", "blocklist:token"])

            #expect(life > 950_000)
            #expect(life <= 960_000)
        }
    }

    @Test func `is not blocked any more after its time`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis, clockSkew: .zero)

            try await blocklist.block("token", until: .now() + .milliseconds(30))
            // Redis tells by itself when the key has gone; no clock of ours decides.
            while try await redis.integer(["PTTL", "blocklist:token"]) >= 0 { await Task.yield() }

            #expect(try await !blocklist.isBlocked("token"))
        }
    }

    @Test func `that has expired already costs nothing`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis, clockSkew: .seconds(60))

            try await blocklist.block("old", until: .now() - .seconds(61))

            #expect(try await redis.integer(["DBSIZE"]) == 0)
        }
    }

    @Test func `stays blocked for the longest time that was asked for`() async throws {
        try await withRedis(.durable) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis)

            try await blocklist.block("token", until: .now() + .seconds(10))
            try await blocklist.block("token", until: .now() + .seconds(900))
            try await blocklist.block("token", until: .now() + .seconds(10))

            #expect(try await redis.integer(["PTTL", "blocklist:token"]) > 900_000)
        }
    }

    @Test func `is still blocked after Redis was killed and has read its file`() async throws {
        try await withRedis(.durable, flags: ["--appendonly", "yes", "--appendfsync", "everysec"]) { redis, server in
            let blocklist = TokenBlocklist(redis: redis)
            try await blocklist.block("stolen", until: .now() + .seconds(900))

            try await server.kill()
            try await server.launch()
            // The first commands may meet the connection that died; the answer must come from the server.
            let isBlocked = await retried { try await blocklist.isBlocked("stolen") }

            #expect(isBlocked == true)
        }
    }

    @Test func `is an error, and not free, when Redis cannot be asked`() async throws {
        try await withRedis(.durable) { redis, server in
            let blocklist = TokenBlocklist(redis: redis)
            try await blocklist.block("stolen", until: .now() + .seconds(900))

            try await server.kill()

            await #expect(throws: RedisError.self) { try await blocklist.isBlocked("stolen") }
            await #expect(throws: RedisError.self) { try await blocklist.block("other", until: .now() + .seconds(900)) }
        }
    }

    @Test func `is an error when the server may evict it`() async throws {
        try await withRedis(.durable, flags: ["--maxmemory-policy", "volatile-ttl"]) { redis, _ in
            let blocklist = TokenBlocklist(redis: redis)

            let error = await #expect(throws: RedisError.self) {
                try await blocklist.block("stolen", until: .now() + .seconds(900))
            }

            #expect(error?.code == .evictingServer)
        }
    }

    @Test func `is an error when the server is full and must not evict`() async throws {
        try await withRedis(.durable, flags: ["--maxmemory", "1"]) { redis, _ in
            let error = await #expect(throws: RedisError.self) {
                try await TokenBlocklist(redis: redis).block("stolen", until: .now() + .seconds(900))
            }

            #expect(error?.code == .server("OOM"))
        }
    }

    /// Asks again while the connection is being made anew.
    func retried<Value>(_ body: () async throws -> Value) async -> Value? {
        while !Task.isCancelled {
            do { return try await body() } catch { await Task.yield() }
        }
        return nil
    }
}
