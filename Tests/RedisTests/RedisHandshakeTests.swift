import Redis
import TestSupport
import Testing

@Suite struct `A Redis server of the durable role` {
    @Test(arguments: ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"])
    func `is refused if it may evict`(policy: String) async throws {
        try await withRedis(flags: ["--maxmemory-policy", policy], role: .durable) { redis, _ in
            let error = await #expect(throws: RedisError.self) { try await redis.set("a", to: "1") }

            #expect(error?.code == .evictingServer)
            #expect(error?.mayHaveRun == false)
            #expect(error?.message.contains(policy) == true)
            #expect(error?.message.contains("noeviction") == true)
        }
    }

    @Test func `is used once it does not evict any more`() async throws {
        let log = ConnectionLog()
        try await withRedis(flags: ["--maxmemory-policy", "allkeys-lru"], role: .durable, log: log) { redis, server in
            await log.next(.failed)
            try await withRedis(RedisConfiguration.patient(port: server.port, role: .cache)) { operator_ in
                _ = try await operator_.send(["CONFIG", "SET", "maxmemory-policy", "noeviction"])
            }
            await log.next(.connected)

            try await redis.set("a", to: "1")
        }
    }

    @Test func `may hide INFO or CONFIG from its user, but not both`() async throws {
        try await withRedis(role: .durable) { redis, server in
            let rights: [(user: String, rule: String)] = [("noinfo", "-info"), ("noconfig", "-config")]
            for right in rights {
                try await redis.send(["ACL", "SETUSER", right.user, "on", ">secret", "~*", "+@all", right.rule])
            }
            try await redis.send(["ACL", "SETUSER", "neither", "on", ">secret", "~*", "+@all", "-info", "-config"])
            var codes: [String: RedisError.Code?] = [:]
            for user in ["noinfo", "noconfig", "neither"] {
                let configuration = RedisConfiguration.patient(
                    port: server.port, username: user, password: "secret", role: .durable)
                codes[user] = try await withRedis(configuration) { redis in
                    await code { try await redis.ping() }
                }
            }

            #expect(codes["noinfo"] == .some(nil))
            #expect(codes["noconfig"] == .some(nil))
            #expect(codes["neither"] == .evictingServer)
        }
    }
}

@Suite struct `A Redis server with passwords` {
    func ping(_ configuration: RedisConfiguration) async throws -> RedisError? {
        try await withRedis(configuration) { redis in
            do throws(RedisError) {
                try await redis.ping()
                return nil
            } catch {
                return error
            }
        }
    }

    @Test func `lets in who knows its password`() async throws {
        try await RedisServer.with(["--requirepass", "open sesame"]) { server in
            let right = try await ping(RedisConfiguration.patient(port: server.port, password: "open sesame", role: .durable))
            let wrong = try await ping(RedisConfiguration.patient(port: server.port, password: "guess-1234", role: .durable))
            let none = try await ping(RedisConfiguration.patient(port: server.port, role: .durable))

            #expect(right == nil)
            #expect(wrong?.code == .authenticationFailed)
            #expect(none?.code == .authenticationFailed)
            #expect("\(wrong as Any) \(wrong?.cause as Any)".contains("guess-1234") == false)
        }
    }

    @Test func `lets in a user of its access list with that user's rights`() async throws {
        let flags = ["--user", "limiter", "on", ">secret", "~limit:*", "+@all", "-@dangerous"]
        try await RedisServer.with(flags) { server in
            let configuration = RedisConfiguration.patient(
                port: server.port, username: "limiter", password: "secret", role: .cache)
            try await withRedis(configuration) { redis in
                try await redis.set("limit:a", to: "1")
                let other = await code { try await redis.set("users:a", to: "1") }
                let dangerous = await code { try await redis.send(["FLUSHALL"]) }

                #expect(other == .server("NOPERM"))
                #expect(dangerous == .server("NOPERM"))
            }
        }
    }

    @Test func `that refuses MULTI may have run the commands after it one by one, and the error says so`() async throws {
        let flags = ["--user", "single", "on", ">secret", "~*", "+@all", "-multi"]
        try await RedisServer.with(flags) { server in
            let configuration = RedisConfiguration.patient(
                port: server.port, username: "single", password: "secret", role: .cache)
            try await withRedis(configuration) { redis in
                let error = await failure { try await redis.transaction([["INCR", "a"]]) }

                #expect(error?.code == .server("NOPERM"))
                #expect(error?.mayHaveRun == true)
            }
        }
    }
}
