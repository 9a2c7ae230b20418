import Redis
import Resilience
import TestSupport
import Testing
import Time

@Suite struct `A sliding-window limiter` {
    @Test(arguments: [1, 3])
    func `admits exactly its limit to 200 tasks at once`(cost: Int) async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 100, window: .seconds(60)), name: "all")

            let admissions = try await withThrowingTaskGroup { group in
                for _ in 0..<200 { group.addTask { try await limiter.admit("ada", cost: cost) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            let admitted = admissions.compactMap(\.remaining)
            #expect(admitted.count == 100 / cost)
            // Every admitted task saw another number of free places, so no place was given twice.
            #expect(Set(admitted) == Set(stride(from: 100 - cost, through: 100 % cost, by: -cost)))
        }
    }

    @Test func `shares one window between replicas, whatever their clocks say`() async throws {
        try await withRedis(.cache) { redis, server in
            let one = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 2, window: .seconds(60)), name: "all")
            let other = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 2, window: .seconds(60)), name: "all")

            let admissions = [try await one.admit("ada"), try await other.admit("ada"), try await one.admit("ada")]

            #expect(admissions.map(\.remaining) == [1, 0, nil])
        }
    }

    @Test func `counts each key and each limiter by itself`() async throws {
        try await withRedis(.cache) { redis, _ in
            let calls = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 1, window: .seconds(60)), name: "calls")
            let logins = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 1, window: .seconds(60)), name: "logins")

            let admissions = [
                try await calls.admit("ada"), try await calls.admit("bob"), try await logins.admit("ada"),
                try await calls.admit("ada"),
            ]

            #expect(admissions.map(\.remaining) == [0, 0, 0, nil])
        }
    }

    @Test func `tells a refused caller when it will fit, and admits it then`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 2, window: .seconds(2)), name: "all")
            _ = try await limiter.admit("ada")
            _ = try await limiter.admit("ada")

            guard case .refused(let retryAfter) = try await limiter.admit("ada") else {
                Issue.record("three of two were admitted")
                return
            }
            // The caller does as it was told; the clock that decides is Redis' own.
            try await Task.sleep(for: retryAfter)
            let later = try await limiter.admit("ada")

            #expect(retryAfter > .zero)
            #expect(retryAfter <= .seconds(2))
            #expect(later.remaining != nil)
        }
    }

    @Test func `slides: what leaves the window makes room one by one, not all at once`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 3, window: .seconds(60)), name: "all")
            // Units of the past, as if admitted 50, 30 and 10 seconds ago.
            try await age("limit:all:ada", seconds: [50, 30, 10], redis)

            let one = try await limiter.admit("ada")
            let two = try await limiter.admit("ada", cost: 2)
            let all = try await limiter.admit("ada", cost: 3)

            #expect(one.retryAfter.map { $0 > .seconds(5) && $0 <= .seconds(10) } == true)
            #expect(two.retryAfter.map { $0 > .seconds(25) && $0 <= .seconds(30) } == true)
            #expect(all.retryAfter.map { $0 > .seconds(45) && $0 <= .seconds(50) } == true)
        }
    }

    @Test func `forgets what has left the window`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 3, window: .seconds(60)), name: "all")
            try await age("limit:all:ada", seconds: [62, 61, 10], redis)

            let admission = try await limiter.admit("ada")

            guard case .admitted(let remaining, let resetAfter) = admission else {
                Issue.record("\(admission)")
                return
            }
            #expect(remaining == 1)
            #expect(resetAfter > .seconds(45))
            #expect(resetAfter <= .seconds(50))
            #expect(try await redis.integer(["ZCARD", "limit:all:ada"]) == 2)
        }
    }

    @Test func `does not block a key after the server's clock was set back`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 1, window: .seconds(60)), name: "all")
            try await age("limit:all:ada", seconds: [-3600], redis)

            let admission = try await limiter.admit("ada")

            #expect(admission.remaining == 0)
        }
    }

    @Test func `keeps nothing of a key that is quiet for a window`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 5, window: .seconds(60)), name: "all")

            _ = try await limiter.admit("ada", cost: 5)
            let life = try await redis.integer(["PTTL", "limit:all:ada"])

            #expect(life > 50_000)
            #expect(life <= 60_000)
        }
    }

    @Test func `answers a cost of zero and takes nothing`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 5, window: .seconds(60)), name: "all")

            let admissions = [try await limiter.admit("ada", cost: 0), try await limiter.admit("ada", cost: 0)]

            #expect(admissions.map(\.remaining) == [5, 5])
            #expect(try await redis.integer(["DBSIZE"]) == 0)
        }
    }

    @Test func `lets a call that costs more than the limit take the whole window`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 5, window: .seconds(60)), name: "all")

            let admissions = [try await limiter.admit("ada", cost: 100), try await limiter.admit("ada")]

            #expect(admissions.map(\.remaining) == [0, nil])
        }
    }

    @Test func `takes nothing from a caller that it refuses`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 5, window: .seconds(60)), name: "all")

            let admissions = [
                try await limiter.admit("ada", cost: 3), try await limiter.admit("ada", cost: 3),
                try await limiter.admit("ada", cost: 2),
            ]

            #expect(admissions.map(\.remaining) == [2, nil, 0])
        }
    }

    @Test func `says when Redis cannot be asked, and decides nothing`() async throws {
        try await withRedis(.cache) { redis, server in
            let limiter = SlidingWindowLimiter(redis: redis, limit: RateLimit(units: 5, window: .seconds(60)), name: "all")
            try await server.kill()

            await #expect(throws: RedisError.self) { try await limiter.admit("ada") }
        }
    }

    /// Puts units into a window as if they had been admitted that many seconds ago on Redis' clock.
    func age(_ key: String, seconds: [Int], _ redis: Redis) async throws {
        let time = try await redis.send(["TIME"])
        let parts = try #require(time.array?.compactMap { $0.text.flatMap(Int.init) })
        let now = parts[0] * 1_000_000 + parts[1]
        for (index, seconds) in seconds.enumerated() {
            try await redis.send(["ZADD", key, now - seconds * 1_000_000, "unit:\(index)"])
        }
    }
}

extension Admission {
    var remaining: Int? {
        if case .admitted(let remaining, _) = self { remaining } else { nil }
    }

    var retryAfter: Duration? {
        if case .refused(let retryAfter) = self { retryAfter } else { nil }
    }
}
