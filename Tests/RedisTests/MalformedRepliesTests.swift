import Redis
import Testing
import Time

@Suite struct `A server that does not keep to the protocol` {
    /// Answers GET with these bytes, and everything else with PONG.
    func withAnswer(
        _ bytes: String, maxReplyBytes: Int = 4096, _ body: (Redis) async throws -> Void
    ) async throws {
        try await FakeServer.with(answer: { $0.contains("GET") ? bytes : "+PONG\r\n" }) { server in
            var configuration = RedisConfiguration.patient(port: server.port, role: .cache)
            configuration.maxReplyBytes = maxReplyBytes
            try await withRedis(configuration, body)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "$abc\r\n", "\u{0}\u{0}\u{0}\u{0}",
        String(repeating: "*1\r\n", count: 100), "$100000\r\n" + String(repeating: "a", count: 5000),
    ])
    func `loses that connection, and the next one works`(bytes: String) async throws {
        try await withAnswer(bytes) { redis in
            let error = await #expect(throws: RedisError.self) { try await redis.get("a") }

            #expect(error?.code == .outcomeUnknown)
            #expect((error?.cause as? RedisError)?.code == .protocolViolation)
            try await redis.ping()
        }
    }

    @Test func `is not believed when it answers more than was asked`() async throws {
        try await withAnswer("$1\r\na\r\n$1\r\nb\r\n") { redis in
            #expect(try await redis.get("a") == Array("a".utf8))
            // The surplus reply ended that connection; the next command has another, and an answer of its own.
            try await redis.ping()
        }
    }

    @Test(arguments: ["+PONG\r\n+OK\r\n+OK\r\n", "+OK\r\n+OK\r\n+OK\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n"])
    func `is not taken for Redis if it greets in another way`(greeting: String) async throws {
        try await FakeServer.with(greeting: greeting, answer: { _ in nil }) { server in
            let configuration = RedisConfiguration.patient(port: server.port, password: "secret", role: .cache)
            try await withRedis(configuration) { redis in
                let error = await #expect(throws: RedisError.self) { try await redis.ping() }

                #expect(error?.code == .protocolViolation || error?.code == .connectionFailed)
                #expect(error?.mayHaveRun == false)
                #expect("\(error as Any) \(error?.cause as Any)".contains("secret") == false)
            }
        }
    }

    @Test func `costs the caller no more than its deadline when it never answers`() async throws {
        try await withAnswer("") { redis in
            let error = await #expect(throws: RedisError.self) {
                try await Deadline.with(.after(.milliseconds(50))) { try await redis.get("a") }
            }

            #expect(error?.code == .timeout)
        }
    }
}
