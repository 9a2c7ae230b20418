import Redis
import Testing

@Suite struct `A Redis client` {
    @Test func `sets and gets any bytes under any key`() async throws {
        try await withRedis { redis, _ in
            let bytes: [UInt8] = [0, 13, 10, 36, 42, 255] + Array("\r\n$5\r\nhello".utf8)

            try await redis.set("a key with spaces\r\nand \u{0}", to: bytes)

            #expect(try await redis.get("a key with spaces\r\nand \u{0}") == bytes)
            #expect(try await redis.get("another") == nil)
        }
    }

    @Test func `carries arguments and replies of no bytes and of many`() async throws {
        try await withRedis { redis, _ in
            let large = [UInt8](repeating: 7, count: 5_000_000)

            try await redis.set("", to: [UInt8]())
            try await redis.set("large", to: large)

            #expect(try await redis.get("") == [])
            #expect(try await redis.get("large") == large)
        }
    }

    @Test func `reads every kind of reply`() async throws {
        try await withRedis { redis, _ in
            let pong = try await redis.send(["PING"])
            let echo = try await redis.send(["ECHO", "hello"])
            let least = try await redis.send(["INCRBY", "n", Int64.min + 1])
            let nothing = try await redis.send(["GET", "none"])
            let empty = try await redis.send(["LRANGE", "none", 0, -1])
            let nested = try await redis.send(["EVAL", "return {1, {'two', {false}}, redis.status_reply('OK')}", 0])

            #expect(pong == .status("PONG"))
            #expect(echo == .bytes(Array("hello".utf8)))
            #expect(least == .integer(.min + 1))
            #expect(nothing == .null)
            #expect(empty == .array([]))
            #expect(nested == .array([.integer(1), .array([.bytes(Array("two".utf8)), .array([.null])]), .status("OK")]))
        }
    }

    @Test func `throws what Redis refuses, with its code and without the arguments`() async throws {
        try await withRedis { redis, _ in
            try await redis.set("text", to: "secret-value")

            let wrongType = await #expect(throws: RedisError.self) { try await redis.send(["LPUSH", "text", "secret"]) }
            let unknown = await #expect(throws: RedisError.self) { try await redis.send(["NOSUCH", "secret"]) }

            #expect(wrongType?.code == .server("WRONGTYPE"))
            #expect(unknown?.code == .server("ERR"))
            #expect(unknown?.mayHaveRun == false)
            #expect(unknown.map { "\($0) \(String(describing: $0.cause))" }?.contains("secret") == false)
        }
    }

    @Test func `lets a key live for a while, and sets it only where it is absent if so told`() async throws {
        try await withRedis { redis, _ in
            let isFirst = try await redis.set("lock", to: "me", expiry: .seconds(100), onlyIfAbsent: true)
            let isSecond = try await redis.set("lock", to: "you", expiry: .seconds(100), onlyIfAbsent: true)
            let life = try await redis.integer(["PTTL", "lock"])

            #expect(isFirst)
            #expect(!isSecond)
            #expect((1...100_000).contains(life))
            #expect(try await redis.get("lock") == Array("me".utf8))
            #expect(try await redis.expire("lock", after: .nanoseconds(1)))
        }
    }

    @Test func `counts, deletes, and says what exists`() async throws {
        try await withRedis { redis, _ in
            let one = try await redis.increment("visits")
            let many = try await redis.increment("visits", by: 41)
            let existing = try await redis.exists(["visits", "nothing", "visits"])
            let deleted = try await redis.delete("visits", "nothing")

            #expect(one == 1)
            #expect(many == 42)
            #expect(existing == 2)
            #expect(deleted == 1)
            #expect(try await redis.exists([]) == 0)
        }
    }

    @Test(arguments: ["SUBSCRIBE", "blpop", "Multi", "MONITOR", "SELECT", "AUTH", "WAIT"])
    func `refuses what would hold or change the connection that others share`(name: String) async throws {
        try await withRedis { redis, _ in
            #expect(await code { try await redis.send([name, "1"]) } == .invalidCommand)
            #expect(await code { try await redis.send([["PING"], [name]]) } == .invalidCommand)
            #expect(await code { try await redis.send([]) as RESPValue } == .invalidCommand)
            try await redis.ping()
        }
    }

    @Test func `sends a batch in one write and keeps an error in its place`() async throws {
        try await withRedis { redis, _ in
            let replies = try await redis.send([["SET", "a", "1"], ["LPUSH", "a", "x"], ["INCR", "a"]])

            #expect(replies[0] == .status("OK"))
            if case .error(let error) = replies[1] {
                #expect(error.code == "WRONGTYPE")
            } else {
                Issue.record("no error: \(replies[1])")
            }
            #expect(replies[2] == .integer(2))
        }
    }

    @Test func `runs a transaction as one unit, or nothing of it`() async throws {
        try await withRedis { redis, _ in
            let replies = try await redis.transaction([["INCR", "a"], ["INCR", "a"]])
            let refused = await code {
                try await redis.transaction([["INCR", "a"], ["INCR", "a", "too", "many"]])
            }

            #expect(replies == [.integer(1), .integer(2)])
            #expect(refused == .server("ERR"))
            #expect(try await redis.get("a") == Array("2".utf8))
        }
    }
}

@Suite struct `A Redis script` {
    static let add = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

    @Test func `is loaded where it is not known, also after it was forgotten`() async throws {
        try await withRedis { redis, _ in
            let first = try await redis.evaluate(Self.add, keys: ["n"], arguments: [1])
            try await redis.send(["SCRIPT", "FLUSH"])
            let second = try await redis.evaluate(Self.add, keys: ["n"], arguments: [2])
            let isKnown = try await redis.send(["SCRIPT", "EXISTS", Self.add.sha1])

            #expect(first == .integer(1))
            #expect(second == .integer(3))
            #expect(isKnown == .array([.integer(1)]))
        }
    }

    @Test func `that fails says so and is not run twice`() async throws {
        try await withRedis { redis, _ in
            let failing = RedisScript("redis.call('INCR', KEYS[1]); return redis.call('LPUSH', KEYS[1], 'x')")

            let error = await #expect(throws: RedisError.self) { try await redis.evaluate(failing, keys: ["n"]) }
            let count = try await redis.get("n")

            #expect(error?.code == .server("WRONGTYPE"))
            #expect(error?.mayHaveRun == true)
            #expect(count == Array("1".utf8))
        }
    }
}
