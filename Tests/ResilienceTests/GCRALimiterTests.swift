import Redis
import TestSupport
import Testing
import Time

@testable import Resilience

@Suite struct `A limiter in constant memory` {
    /// An hour for a few units, so that none becomes free again while a test runs.
    private func limiter(_ redis: Redis, units: Int, window: Duration = .seconds(3_600)) -> GCRALimiter {
        GCRALimiter(redis: redis, limit: RateLimit(units: units, window: window), name: "t")
    }

    @Test(arguments: [1, 3])
    func `admits exactly its limit to 200 tasks at once on three replicas`(cost: Int) async throws {
        try await withRedisClients(3, .cache) { clients, _ in
            let limiters = clients.map { limiter($0, units: 100) }

            let admissions = try await withThrowingTaskGroup { group in
                for index in 0..<200 { group.addTask { try await limiters[index % 3].admit("ada", cost: cost) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            let admitted = admissions.compactMap(\.remaining)
            #expect(admitted.count == 100 / cost)
            // Every admitted task saw another number of free units, so none was given twice.
            #expect(Set(admitted) == Set(stride(from: 100 - cost, through: 100 % cost, by: -cost)))
        }
    }

    @Test func `keeps one integer for each key, for no longer than it says something`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 60, window: .seconds(60))

            _ = try await limiter.admit("ada", cost: 5)
            let life = try await redis.integer(["PTTL", "rate:t:ada"])
            let encoding = try await redis.send(["OBJECT", "ENCODING", "rate:t:ada"])

            #expect(life > 0)
            #expect(life <= 5_000)
            #expect(encoding.text == "int")
            #expect(try await redis.integer(["DBSIZE"]) == 1)
        }
    }

    @Test func `has what is wrong with one caller's number be no other's concern`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 60, window: .seconds(60))
            try await redis.send(["LPUSH", "rate:t:broken", "x"])
            try await redis.set("rate:t:odd", to: "odd")

            // In one run: tasks that begin together are answered together.
            let failed = await withTaskGroup { group in
                for key in ["ada", "broken", "bob", "odd"] + (0..<100).map({ "c\($0)" }) {
                    group.addTask { (try? await limiter.admit(key)) == nil ? key : nil }
                }
                return await group.reduce(into: Set<String>()) { if let key = $1 { $0.insert(key) } }
            }

            #expect(failed == ["broken", "odd"])
        }
    }

    @Test func `needs less than 150 MB for a million callers`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 1_200)
            let before = try await usedBytes(redis)
            // As the Gateway names a user. What the limiter itself writes is written a million times by the server.
            let key = "u" + String(repeating: "A", count: 22)
            _ = try await limiter.admit(key)
            let copy = RedisScript(
                """
                local value, life = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
                local stem = string.sub(KEYS[1], 1, -8)
                for i = 1, 999999 do redis.call('SET', stem .. string.format('%07d', i), value, 'PX', 3600000) end
                return life
                """)
            _ = try await redis.evaluate(copy, keys: ["rate:t:\(key)"])

            let keys = try await redis.integer(["DBSIZE"])
            let bytes = try await usedBytes(redis) - before
            print("A million callers of a limiter take \(bytes / 1_000_000) MB of Redis.")
            #expect(keys == 1_000_000)
            #expect(bytes < 150_000_000)
        }
    }

    @Test func `tells a refused caller when it will fit, and admits it then`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 4, window: .seconds(2))
            _ = try await limiter.admit("ada", cost: 4)

            guard case .refused(let retryAfter) = try await limiter.admit("ada", cost: 2) else {
                Issue.record("six of four were admitted")
                return
            }
            // The caller does as it was told; the clock that decides is Redis' own.
            try await Task.sleep(for: retryAfter)
            let later = try await limiter.admit("ada", cost: 2)

            #expect(retryAfter > .zero)
            #expect(retryAfter <= .seconds(1))
            #expect(later.remaining != nil)
        }
    }

    @Test func `frees units one by one`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 6, window: .seconds(60))
            // As if all had been used 25 seconds ago: two are free again, the third in five seconds.
            try await setFree("rate:t:ada", inSeconds: 35, redis)

            let free = try await limiter.admit("ada", cost: 0)
            let four = try await limiter.admit("ada", cost: 4)

            #expect(free.remaining == 2)
            #expect(four.retryAfter.map { $0 > .seconds(14) && $0 <= .seconds(15) } == true)
        }
    }

    @Test(arguments: [61, 3_600])
    func `does not block a key after the server's clock was set back`(seconds: Int) async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 6, window: .seconds(60))
            try await setFree("rate:t:ada", inSeconds: seconds, redis)

            let admission = try await limiter.admit("ada")

            #expect(admission.remaining == 5)
        }
    }

    @Test(arguments: [(7, 60), (1_200, 60), (1_000_000, 1), (3, 1)])
    func `admits its whole limit, however it divides the window`(units: Int, seconds: Int) async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: units, window: .seconds(seconds))

            let all = try await limiter.admit("ada", cost: units)

            #expect(all.remaining != nil)
        }
    }

    @Test func `lets a call that costs more than the limit take all of it, and takes nothing from whom it refuses`() async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiter(redis, units: 5)

            let admissions = [
                try await limiter.admit("ada", cost: 100), try await limiter.admit("ada"),
                try await limiter.admit("bob", cost: 3), try await limiter.admit("bob", cost: 3),
                try await limiter.admit("bob", cost: 2), try await limiter.admit("eve", cost: 0),
            ]

            #expect(admissions.map(\.remaining) == [0, nil, 2, nil, 0, 5])
        }
    }

    /// Sets when the last unit in use becomes free, on Redis' clock.
    private func setFree(_ key: String, inSeconds seconds: Int, _ redis: Redis) async throws {
        let parts = try #require(try await redis.send(["TIME"]).array?.compactMap { $0.text.flatMap(Int.init) })
        try await redis.set(key, to: "\((parts[0] + seconds) * 1_000_000 + parts[1])")
    }

    private func usedBytes(_ redis: Redis) async throws -> Int {
        let info = try #require(try await redis.send(["INFO", "memory"]).text)
        let line = try #require(info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") })
        return try #require(Int(line.dropFirst("used_memory:".count)))
    }
}

/// What both limiters promise alike.
@Suite struct `Either limiter` {
    private func limiters(_ redis: Redis, units: Int, window: Duration) -> [any RateLimiter] {
        [
            GCRALimiter(redis: redis, limit: RateLimit(units: units, window: window), name: "t"),
            SlidingWindowLimiter(redis: redis, limit: RateLimit(units: units, window: window), name: "all"),
        ]
    }

    @Test(arguments: [0, 1])
    func `refuses nobody twice who comes again when it was told to`(_ index: Int) async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiters(redis, units: 10, window: .milliseconds(500))[index]
            var refusals = 0
            for call in 0..<40 {
                let cost = 1 + call % 4
                guard case .refused(let retryAfter) = try await limiter.admit("ada", cost: cost) else { continue }
                refusals += 1
                try await Task.sleep(for: retryAfter)
                let again = try await limiter.admit("ada", cost: cost)
                #expect(again.remaining != nil, "call \(call)")
            }
            #expect(refusals > 0)
        }
    }

    @Test(arguments: [0, 1])
    func `counts what a replica let through on its own`(_ index: Int) async throws {
        try await withRedis(.cache) { redis, _ in
            let limiter = limiters(redis, units: 10, window: .seconds(3_600))[index]

            let first = try await limiter.admit("ada", cost: 1, carrying: CarriedUnits(owed: 4, used: 3))
            let second = try await limiter.admit("ada", cost: 1, carrying: CarriedUnits(owed: 0, used: 5))
            // More than there is.
            let third = try await limiter.admit("ada", cost: 1, carrying: CarriedUnits(owed: 100, used: 0))
            let fourth = try await limiter.admit("ada", cost: 0)

            #expect([first, second, third, fourth].map(\.remaining) == [2, 1, nil, 0])
        }
    }
}
