import Redis
import TestSupport
import Testing
import Time

@testable import Cache

/// Redis gone, silent, or back with what it had.
@Suite struct `A cache whose Redis fails` {
    /// Lends replicas whose Redis can be lost in any way, and has it there again in the end.
    private func losing(
        _ way: RedisServer.Loss, of count: Int = 1, _ configure: (inout CacheConfiguration) -> Void = { _ in },
        _ body: ([Replica], _ lose: () async throws -> Void) async throws -> Void
    ) async throws {
        try await RedisServer.with { server in
            let network = try await DroppingProxy(to: server.port)
            try await withReplicas(count, at: network.port, configure) { replicas in
                try await body(replicas) { try await server.lose(way, network: network) }
                try await server.comeBack(from: way, network: network)
            }
            try await network.close()
        }
    }

    @Test(arguments: RedisServer.Loss.allCases)
    func `goes on without it, fetching a value once a while`(way: RedisServer.Loss) async throws {
        try await losing(way, of: 2, { $0.redisTimeout = .milliseconds(500) }) { replicas, lose in
            try await replicas[0].serves(0)
            try await lose()
            try await until { !replicas[0].hub.isHearing }
            let before = replicas[0].source.reads

            for _ in 0..<100 { try await replicas[0].serves(0) }

            #expect(replicas[0].source.reads <= before + 20)
            #expect(replicas[0].numbers.statistics.shared.failures > 0)
        }
    }

    @Test func `keeps nothing without it either that is larger than allowed`() async throws {
        try await withReplicas(1, { $0.maxValueBytes = 1_000; $0.localLifeUnheard = .seconds(600) }) { replicas, server in
            let numbers = replicas[0].numbers
            try await server.kill()
            try await until { !replicas[0].hub.isHearing }

            for _ in 0..<2 {
                let value = try await numbers.value(for: .shared("large")) { [UInt8](repeating: 7, count: 1_001) }
                #expect(value?.count == 1_001)
            }

            #expect(numbers.statistics.loads == 2 && numbers.statistics.tooLarge == 2)
            #expect(numbers.statistics.localEntries == 0)
        }
    }

    @Test(arguments: RedisServer.Loss.allCases)
    func `forgets all it had when it hears of no changes any more`(way: RedisServer.Loss) async throws {
        try await losing(way) { replicas, lose in
            try await replicas[0].serves(0)
            #expect(replicas[0].numbers.statistics.localEntries == 1)

            try await lose()
            try await until { !replicas[0].hub.isHearing }

            #expect(replicas[0].numbers.statistics.localEntries == 0)
        }
    }

    @Test func `uses it again when it is back`() async throws {
        try await withReplicas(2) { replicas, server in
            try await server.kill()
            try await until { !replicas[0].hub.isHearing }
            try await replicas[0].serves(0)
            try await server.launch()
            for replica in replicas { try await until { replica.hub.isHearing } }

            try await until {
                _ = try await replicas[0].number(.shared("other"))
                _ = try await replicas[1].number(.shared("other"))
                // Whichever was first has fetched it for the other.
                return replicas.contains { $0.numbers.statistics.shared.hits > 0 }
            }
        }
    }

    /// Silent, it may come back with what it had before the change.
    @Test func `serves no old value from a Redis that could not be told of a change`() async throws {
        try await withReplicas(1, { $0.redisTimeout = .milliseconds(200) }) { replicas, server in
            let replica = replicas[0]
            try await replica.serves(0)
            try await server.suspend()
            try await replica.set(1)
            try await replica.serves(1)
            try await server.resume()

            for _ in 0..<200 {
                try await replica.serves(1)
                replica.numbers.forgetLocally()
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// Redis knows that it has begun, and until its time is up it keeps nothing.
    @Test func `keeps values again when Redis can be told that a change has ended`() async throws {
        try await withReplicas { replicas, _ in
            let (replica, entry) = (replicas[0], CacheEntry(cache: "numbers", key: Replica.key))
            let shared = SharedTier(redis: replica.hub.redis, cache: "numbers", timeout: .seconds(10))
            for writer in ["one", "another"] {
                let hasBegun = await shared.beginChange(of: [entry], writer: writer, life: .seconds(600), telling: replica.hub.message)
                #expect(hasBegun)
                replica.hub.doubt(entry, until: Instant.now() + .seconds(600), ended: writer)
            }

            try await until {
                try await replica.serves(0)
                return try await replica.hub.redis.exists(["cache:{numbers:shared:number}:value"]) == 1
            }
        }
    }

    @Test func `takes nothing from Redis when more was changed than it can remember`() async throws {
        try await withReplicas { replicas, _ in
            let (replica, later) = (replicas[0], Instant.now() + .seconds(600))
            try await replica.serves(0)
            replica.numbers.forgetLocally()

            for number in 0...10_000 { replica.hub.doubt(.init(cache: "numbers", key: .shared("\(number)")), until: later) }
            replica.source.value = 1

            try await replica.serves(1)
        }
    }

    @Test func `is not overrun: so many fetch at a time`() async throws {
        try await withReplicas(1, { $0.maxUnsharedLoads = 4 }) { replicas, server in
            try await server.kill()
            try await until { !replicas[0].hub.isHearing }
            let most = Most()

            try await withThrowingTaskGroup { group in
                for index in 0..<200 {
                    group.addTask {
                        _ = try await replicas[0].numbers.value(for: .shared("\(index)")) {
                            most.enter()
                            try await Task.sleep(for: .milliseconds(2))
                            most.leave()
                            return [1]
                        }
                    }
                }
                try await group.waitForAll()
            }

            #expect(most.value <= 4)
        }
    }
}
