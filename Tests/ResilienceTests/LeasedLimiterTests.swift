import Redis
import Synchronization
import TestSupport
import Testing
import Time

@testable import Resilience

/// Three replicas, each with its own connection to one Redis.
private struct Replicas: Sendable {
    let limiters: [LeasedLimiter]
    let shares: [LimiterShares]
    let server: RedisServer
    let port: Int

    /// Calls of one caller over all replicas at once; how many were admitted.
    func call(_ key: String = "ada", times: Int, cost: Int = 1, _ loss: LeasedLimiter.Loss = .liveOnShare) async -> Int {
        await withTaskGroup { group in
            for index in 0..<times {
                group.addTask {
                    do throws(LeasedLimiter.NotCounted) {
                        return try await limiters[index % limiters.count].admit(key, cost: cost, onLoss: loss).isAdmitted
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    func untilLost() async throws { try await until { shares.allSatisfy { !$0.isCountedTogether } } }
    func untilBack() async throws { try await until { shares.allSatisfy(\.isCountedTogether) } }
    var unanswered: Int { limiters.reduce(0) { $0 + $1.counts.unanswered } }
}

extension LeasedLimiter.Decision {
    var isAdmitted: Bool { admission.remaining != nil }
}

/// Days for the limit, so that next to nothing becomes free while a test runs.
private func withReplicas(
    units: Int = 300, window: Duration = .seconds(360_000), throughProxy: Bool = false, exact: Bool = false,
    patience: Duration = .milliseconds(500), timeout: Duration = .seconds(1), probeInterval: Duration = ShareConfiguration().probeInterval,
    _ body: (Replicas, DroppingProxy?) async throws -> Void
) async throws {
    try await RedisServer.with { server in
        let proxy = throughProxy ? try await DroppingProxy(to: server.port) : nil
        let port = proxy?.port ?? server.port
        var configuration = ShareConfiguration()
        // A busy machine is slow. Tests that need no other Redis than one that is gone take less, and those in which nobody calls a Redis that is
        // gone as long as it takes.
        configuration.patience = patience
        configuration.longPatience = .seconds(2)
        configuration.heartbeat = .milliseconds(200)
        configuration.probeInterval = probeInterval
        let clients = (0..<3).map { _ in testClient(.cache, port: port, timeout: timeout) }
        let shares = clients.map { LimiterShares(redis: $0, group: "test", configuration: configuration) }
        let limiters = zip(clients, shares).map { client, shares in
            let limit = RateLimit(units: units, window: window)
            let limiter: any RateLimiter =
                exact
                ? SlidingWindowLimiter(redis: client, limit: RateLimit(units: units, window: window), name: "all")
                : GCRALimiter(redis: client, limit: limit, name: "t")
            return LeasedLimiter("test", limiter, shares: shares)
        }
        let replicas = Replicas(limiters: limiters, shares: shares, server: server, port: port)
        let work = clients.map { client in { @Sendable in await client.run() } } + shares.map { shares in { @Sendable in await shares.run() } }
        try await running(work) {
            try await until { shares.allSatisfy { $0.replicas == 3 } }
            try await body(replicas, proxy)
        }
        try await proxy?.close()
    }
}

@Suite struct `Replicas that share a limit` {
    @Test(arguments: [false, true])
    func `admit exactly the limit to 200 callers at once while Redis is there`(exact: Bool) async throws {
        try await withReplicas(units: 100, exact: exact, patience: .seconds(60), timeout: .seconds(60)) { replicas, _ in
            let admitted = await replicas.call(times: 200)

            #expect(admitted == 100)
        }
    }

    /// The limit, and a tenth of it.
    @Test(arguments: RedisServer.Loss.allCases, [1, 300])
    func `admit no more than the limit and the leases when Redis goes under load`(way: RedisServer.Loss, used: Int) async throws {
        try await withReplicas(throughProxy: way == .partitioned) { replicas, proxy in
            let stop = Flag()
            let admitted = try await withThrowingTaskGroup { group in
                for worker in 0..<60 {
                    group.addTask {
                        var admitted = 0
                        while !stop.isSet {
                            let limiter = replicas.limiters[worker % 3]
                            if try await limiter.admit("ada", cost: 1, onLoss: .liveOnShare).isAdmitted { admitted += 1 }
                            try await Task.sleep(for: .milliseconds(5))
                        }
                        return admitted
                    }
                }
                try await until { replicas.limiters.reduce(0) { $0 + $1.counts.admittedTogether } >= used }
                try await replicas.server.lose(way, network: proxy)
                try await replicas.untilLost()
                // Each replica has decided many times on its own.
                try await until { replicas.limiters.allSatisfy { $0.counts.admittedOnShare + $0.counts.refusedOnShare > 500 } }
                stop.set()
                return try await group.reduce(0, +)
            }
            if way == .paused { try await replicas.server.resume() }

            #expect(admitted >= 30)
            #expect(admitted <= 330)
            // Nobody asks a Redis that is known to be away: only those that were under way when it went waited for it.
            #expect(replicas.unanswered <= 60)
        }
    }

    /// How long calls take is told and not judged: the machine is also somebody else's.
    @Test(arguments: RedisServer.Loss.allCases)
    func `let nobody wait for a Redis that is gone, but those that had asked it`(way: RedisServer.Loss) async throws {
        try await withReplicas(units: 1_000_000, throughProxy: way == .partitioned, patience: .milliseconds(30)) { replicas, proxy in
            @Sendable func load(_ calls: Int) async throws -> [Duration] {
                try await withThrowingTaskGroup { group in
                    for worker in 0..<60 {
                        group.addTask {
                            var took: [Duration] = []
                            for _ in 0..<calls {
                                let began = ContinuousClock.now
                                _ = try await replicas.limiters[worker % 3].admit("ada", cost: 1, onLoss: .liveOnShare)
                                took.append(began.duration(to: .now))
                                try await Task.sleep(for: .milliseconds(10))
                            }
                            return took
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }.sorted()
                }
            }
            let before = try await load(100)
            async let under = load(200)
            try await replicas.server.lose(way, network: proxy)
            // A busy machine keeps some waiting for a Redis that is there.
            let unanswered = replicas.unanswered
            let during = try await under
            if way == .paused { try await replicas.server.resume() }

            print("\(way): p50 and p99 of a decision before: \(before[before.count / 2]), \(before[before.count * 99 / 100]);",
                "from the loss on: \(during[during.count / 2]), \(during[during.count * 99 / 100])")
            #expect(replicas.unanswered - unanswered <= 60)
            #expect(during.count == 12_000)
        }
    }

    @Test func `tell a Redis that comes back with what it had, what they let through meanwhile`() async throws {
        try await withReplicas(patience: .seconds(60), timeout: .seconds(60)) { replicas, _ in
            #expect(await replicas.call(times: 200) == 200)
            try await replicas.server.suspend()
            try await replicas.untilLost()
            let alone = await replicas.call(times: 300)
            try await replicas.server.resume()
            try await replicas.untilBack()
            let together = await replicas.call(times: 600)

            #expect(alone == 30)
            #expect(together == 70)
        }
    }

    /// The most that one of them knows was in use has to come before what any has let through, for which they wait as long as a probe does.
    @Test func `tell a Redis that comes back empty what was in use`() async throws {
        try await withReplicas(patience: .seconds(60), timeout: .seconds(60), probeInterval: .seconds(2)) { replicas, _ in
            #expect(await replicas.call(times: 270) == 270)
            try await replicas.server.kill()
            try await replicas.untilLost()
            let alone = await replicas.call(times: 300)
            try await replicas.server.launch()
            try await replicas.untilBack()
            let together = await replicas.call(times: 600)

            #expect(alone == 30)
            #expect(together == 0)
        }
    }

    /// What one let through would else count for part of what another, which comes back later, says was in use.
    @Test func `tell an empty Redis what they let through when all of them are back`() async throws {
        try await withRedisClients(3, .cache) { clients, server in
            var configuration = ShareConfiguration()
            configuration.patience = .seconds(60)
            configuration.longPatience = .seconds(60)
            configuration.memberLife = .seconds(600)
            let shares = clients.map { LimiterShares(redis: $0, group: "test", configuration: configuration) }
            let told = Mutex<[ShareLedger.Part]>([])
            shares[0].beforeCountingTogether { part, _ in
                told.withLock { $0.append(part) }
                return true
            }
            try await running([{ await shares[0].run() }]) {
                try await running([{ await shares[1].run() }]) {
                    try await until { shares[0].replicas == 2 }
                    try await server.kill()
                    try await until { !shares[0].isCountedTogether }
                }
                try await server.launch()
                try await until { told.withLock({ $0.count }) >= 3 }
                let toldAlone = told.withLock { $0 }
                let isTogetherAlone = shares[0].isCountedTogether
                try await running([{ await shares[2].run() }]) { try await until { shares[0].isCountedTogether } }

                #expect(toldAlone.allSatisfy { $0 == .used })
                #expect(!isTogetherAlone)
                #expect(told.withLock({ $0.last }) == .owed)
            }
        }
    }

    @Test func `tell Redis what they let through while they told it the rest`() async throws {
        try await withReplicas(patience: .seconds(60), timeout: .seconds(60)) { replicas, _ in
            let (limiter, shares) = (replicas.limiters[0], replicas.shares[0])
            shares.beforeCountingTogether { part, _ in
                // The limiter has told its part. Nothing is thrown at a call that may go on without Redis.
                if part == .owed, !shares.isCountedTogether { _ = try? await limiter.admit("ada", cost: 1, onLoss: .liveOnShare) }
                return true
            }

            try await replicas.server.suspend()
            try await replicas.untilLost()
            try await replicas.server.resume()
            try await replicas.untilBack()

            #expect(limiter.counts.admittedOnShare > 0)
            try await until {
                let elsewhere = try await replicas.limiters[1].admit("ada", cost: 0, onLoss: .liveOnShare)
                return elsewhere.admission.remaining == 300 - limiter.counts.admittedOnShare
            }
        }
    }

    @Test func `refuse at once what has to be counted`() async throws {
        try await withReplicas { replicas, _ in
            try await replicas.server.kill()
            try await replicas.untilLost()
            try await until { replicas.shares.allSatisfy { $0.view.standing == .down } }

            let admitted = await replicas.call(times: 30, .refuse)

            #expect(admitted == 0)
            #expect(replicas.limiters.reduce(0) { $0 + $1.counts.notCounted } == 30)
            #expect(replicas.unanswered == 0)
        }
    }

    @Test func `count each other, and no more those that have ended`() async throws {
        try await withReplicas { replicas, _ in
            let client = testClient(.cache, port: replicas.port)
            let fourth = LimiterShares(redis: client, group: "test")
            try await running([{ await client.run() }]) {
                try await running([{ await fourth.run() }]) {
                    try await until { replicas.shares.allSatisfy { $0.replicas == 4 } }
                }
                try await until { replicas.shares.allSatisfy { $0.replicas == 3 } }
            }
        }
    }

    @Test func `leave it to callers that have given up to say nothing about Redis`() async throws {
        try await withReplicas(timeout: .seconds(60)) { replicas, _ in
            try await replicas.server.suspend()
            await #expect(throws: LeasedLimiter.NotCounted.self) {
                try await Deadline.with(.after(.milliseconds(5))) {
                    _ = try await replicas.limiters[0].admit("ada", cost: 1, onLoss: .liveOnShare)
                }
            }
            try await replicas.server.resume()

            #expect(replicas.limiters[0].counts.admittedOnShare == 0)
        }
    }
}
