import Redis
import TestSupport
import Testing
import Time

@Suite struct `A connection to Redis` {
    @Test(arguments: [1, 2])
    func `gives every task its own reply, in any crowd`(connections: Int) async throws {
        try await withRedis { $0.connections = connections } _: { redis, _ in
            let mismatches = try await withThrowingTaskGroup { group in
                for number in 0..<2000 {
                    group.addTask {
                        let echoed = try await redis.send(["ECHO", number])
                        try await redis.send(["INCR", "total"])
                        return echoed.text == String(number) ? 0 : 1
                    }
                }
                return try await group.reduce(0, +)
            }

            #expect(mismatches == 0)
            #expect(try await redis.get("total") == Array("2000".utf8))
        }
    }

    @Test func `keeps the order of the commands that one task sends`() async throws {
        try await withRedis { redis, _ in
            let replies = try await redis.send((0..<1000).map { ["RPUSH", "list", $0] })

            #expect(replies == (1...1000).map { .integer($0) })
        }
    }

    @Test func `is made again after the server was killed and has come back`() async throws {
        let log = ConnectionLog()
        try await withRedis(log: log) { redis, server in
            try await redis.set("a", to: "1")
            await log.next(.connected)

            try await server.kill()
            await log.next(.failed)
            let refused = await code { try await redis.get("a") }
            try await server.launch()
            await log.next(.connected)

            #expect(refused == .connectionFailed)
            #expect(try await redis.get("a") == nil)
        }
    }

    @Test func `fails what was in flight when the server was killed, and says that the outcome is unknown`() async throws {
        try await withRedis { redis, server in
            try await redis.ping()
            try await server.suspend()
            async let single = failure { try await redis.increment("a") }
            async let batch = failure { try await redis.send([["INCR", "b"], ["INCR", "c"]]) }
            try await redis.untilInFlight(3)

            try await server.kill()

            for error in [await single, await batch] {
                #expect(error?.code == .outcomeUnknown)
                #expect(error?.mayHaveRun == true)
            }
        }
    }

    @Test func `waits for a server that starts later`() async throws {
        let log = ConnectionLog()
        try await RedisServer.with { server in
            try await server.kill()
            try await withRedis(RedisConfiguration.patient(port: server.port, role: .cache), log: log) { redis in
                await log.next(.failed)
                let early = await code { try await redis.ping() }

                try await server.launch()
                await log.next(.connected)

                #expect(early == .connectionFailed)
                try await redis.ping()
            }
        }
    }

    @Test func `is given up when it is silent while it owes replies`() async throws {
        let log = ConnectionLog()
        try await withRedis(log: log) { $0.commandTimeout = .milliseconds(500) } _: { redis, server in
            await log.next(.connected)
            try await server.suspend()

            let error = await #expect(throws: RedisError.self) { try await redis.increment("a") }
            await log.next(.lost)
            try await server.resume()
            await log.next(.connected)

            #expect(error?.code == .timeout || error?.code == .outcomeUnknown)
        }
    }

    @Test func `outlives a caller whose deadline has passed`() async throws {
        let log = ConnectionLog()
        try await withRedis(log: log) { redis, server in
            try await redis.ping()
            try await server.suspend()

            let error = await #expect(throws: RedisError.self) {
                try await Deadline.with(.after(.milliseconds(20))) { try await redis.increment("a") }
            }
            try await server.resume()
            let next = try await redis.increment("a")

            #expect(error?.code == .timeout)
            // Whether it was sent in those 20 ms is the machine's affair; that the error tells the truth is ours.
            #expect(next == (error?.mayHaveRun == true ? 2 : 1))
            #expect(log.count(.lost) == 0)
        }
    }

    @Test func `sends nothing for a caller whose deadline has passed already`() async throws {
        try await withRedis { redis, _ in
            let error = await #expect(throws: RedisError.self) {
                try await Deadline.with(.after(.zero)) { try await redis.increment("a") }
            }

            #expect(error?.code == .timeout)
            #expect(error?.mayHaveRun == false)
            let value = try await redis.get("a")
            #expect(value == nil)
        }
    }

    @Test func `lets a cancelled task go at once`() async throws {
        try await withRedis { redis, server in
            try await redis.ping()
            try await server.suspend()
            let task = Task { await failure { try await redis.increment("a") } }
            // It counts as in flight from when its event loop takes it, a moment before it is written.
            try await redis.untilInFlight(1)
            try await Task.sleep(for: .milliseconds(100))

            task.cancel()
            let error = await task.value
            try await server.resume()

            #expect(error?.code == .cancelled)
            #expect(error?.mayHaveRun == true)
            try await redis.ping()
        }
    }

    @Test func `takes no more commands than its bound while the server is silent`() async throws {
        try await withRedis { $0.maxOutstandingCommands = 10 } _: { redis, server in
            try await redis.ping()
            try await server.suspend()
            try await withThrowingTaskGroup { group in
                for _ in 0..<10 { group.addTask { try await redis.ping() } }
                try await redis.untilInFlight(10)

                let error = await #expect(throws: RedisError.self) { try await redis.ping() }

                #expect(error?.code == .overloaded)
                #expect(error?.mayHaveRun == false)
                try await server.resume()
                try await group.waitForAll()
            }
            try await redis.ping()
        }
    }

    @Test func `refuses a command that is too large, before it is sent`() async throws {
        try await withRedis { $0.maxOutstandingBytes = 1000 } _: { redis, _ in
            let error = await code {
                try await redis.set("a", to: [UInt8](repeating: 0, count: 1001))
            }

            #expect(error == .invalidCommand)
            try await redis.ping()
        }
    }

    @Test func `is not made without run, and callers wait no longer than their deadline`() async throws {
        try await RedisServer.with { server in
            let redis = Redis(configuration: RedisConfiguration.patient(port: server.port, role: .cache), logger: .silent)

            let error = await #expect(throws: RedisError.self) {
                try await Deadline.with(.after(.milliseconds(20))) { try await redis.ping() }
            }

            #expect(error?.code == .timeout)
            #expect(error?.mayHaveRun == false)
        }
    }

    @Test func `brings in what is owed when it is shut down, and takes nothing new`() async throws {
        try await RedisServer.with { server in
            let redis = Redis(configuration: RedisConfiguration.patient(port: server.port, role: .cache), logger: .silent)
            let running = Task { await redis.run() }
            try await redis.ping()
            try await server.suspend()
            async let owed = redis.increment("a")
            try await redis.untilInFlight(1)

            running.cancel()
            try await server.resume()

            #expect(try await owed == 1)
            await running.value
            #expect(await code { try await redis.ping() } == .closed)
        }
    }
}
