import Redis
import Testing

/// The code of docs/libraries/Redis.md.
@Suite struct `The page about Redis` {
    @Test func `shows code that does what it says`() async throws {
        try await withRedis { redis, _ in
            try await redis.set("greeting", to: "hello", expiry: .seconds(60))
            let greeting = try await redis.get("greeting")
            let length = try await redis.send(["STRLEN", "greeting"])
            let replies = try await redis.send([["INCR", "a"], ["INCR", "b"]])
            let together = try await redis.transaction([["INCR", "a"], ["INCR", "b"]])

            let double = RedisScript("return redis.call('GET', KEYS[1]) * 2")
            let four = try await redis.evaluate(double, keys: ["a"])
            let each = RedisScript("local r = {}; for i, k in ipairs(KEYS) do r[i] = redis.call('INCRBY', k, ARGV[i]) end; return r")
            let five = try await redis.evaluate(sharing: each, key: "a", arguments: [3])

            #expect(greeting == Array("hello".utf8))
            #expect(length == .integer(5))
            #expect(replies == [.integer(1), .integer(1)])
            #expect(together == [.integer(2), .integer(2)])
            #expect(four == .integer(4))
            #expect(five == .integer(5))
        }
    }
}
