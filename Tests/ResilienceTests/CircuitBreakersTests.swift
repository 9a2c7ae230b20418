import Redis
import Synchronization
import TestSupport
import Testing

@testable import Resilience

/// A dependency that fails for some replicas, and what each replica's breaker makes of it.
private final class Dependency: Sendable {
    private let state = Mutex((failsFor: Set<Int>(), calls: [Int](repeating: 0, count: 8)))

    func fails(for replicas: some Sequence<Int>) { state.withLock { $0.failsFor = Set(replicas) } }

    func call(from replica: Int) -> CallOutcome {
        state.withLock { state in
            state.calls[replica] += 1
            return state.failsFor.contains(replica) ? .failed : .succeeded
        }
    }

    var calls: Int { state.withLock { $0.calls.reduce(0, +) } }
}

private struct Replicas: Sendable {
    let breakers: [CircuitBreakers]
    let dependency: Dependency
    let server: RedisServer

    func breaker(_ replica: Int) -> CircuitBreaker { breakers[replica]["vitals"] }
    func isOpen(_ replica: Int) -> Bool { breaker(replica).report.standing != .closed }
    func standing(_ replica: Int) -> CircuitBreaker.Standing { breaker(replica).report.standing }

    func call(_ replica: Int) {
        guard let permit = try? breaker(replica).admit() else { return }
        breaker(replica).ended(permit, dependency.call(from: replica))
    }

    /// Each of these replicas calls now and then until something is so.
    func calling(_ replicas: some Sequence<Int>, until isSo: () -> Bool) async throws {
        let replicas = Array(replicas)
        while !isSo() {
            replicas.forEach(call)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

private func withReplicas(
    _ count: Int, _ configure: (inout BreakerConfiguration) -> Void = { _ in }, _ body: (Replicas) async throws -> Void
) async throws {
    var configuration = BreakerConfiguration()
    configuration.openTime = .milliseconds(500)
    configuration.syncInterval = .milliseconds(20)
    configuration.probeInterval = .milliseconds(200)
    configure(&configuration)
    try await withRedisClients(count, .durable) { [configuration] clients, server in
        let breakers = clients.map { CircuitBreakers(["users", "vitals"], redis: $0, group: "test", configuration: configuration) }
        let replicas = Replicas(breakers: breakers, dependency: Dependency(), server: server)
        try await running(breakers.map { breakers in { await breakers.run() } }) {
            try await until { (0..<count).allSatisfy { replicas.breaker($0).report.liveReplicas == count } }
            try await body(replicas)
        }
    }
}

@Suite struct `Replicas that call one dependency` {
    @Test func `open all when it is gone, also one that has hardly called`() async throws {
        let unhurried = BreakerConfiguration()
        try await withReplicas(3, { $0.syncInterval = unhurried.syncInterval; $0.openTime = unhurried.openTime }) { replicas in
            replicas.call(2)
            replicas.dependency.fails(for: 0..<3)
            let began = ContinuousClock.now

            try await replicas.calling(0..<2) { (0..<3).allSatisfy(replicas.isOpen) }

            print("Three replicas have found out within \(began.duration(to: .now)) that a dependency is gone.")
            #expect(replicas.breaker(2).report.openings == 0)
            #expect(throws: CircuitBreaker.Refused.self) { try replicas.breaker(2).admit() }
            #expect((0..<3).allSatisfy { replicas.breakers[$0]["users"].report.standing == .closed })
        }
    }

    @Test func `stay closed when one of them is cut off, which opens for itself`() async throws {
        try await withReplicas(3) { replicas in
            replicas.dependency.fails(for: [0])

            try await replicas.calling(0..<3) { replicas.isOpen(0) && (1..<3).allSatisfy { replicas.breaker($0).report.failingReplicas == 1 } }
            // It tries again and again meanwhile.
            try await replicas.calling(0..<3) { replicas.breaker(0).report.openings >= 3 }

            #expect(replicas.standing(1) == .closed)
            #expect(replicas.standing(2) == .closed)
            #expect(replicas.breaker(1).report.refused == 0)
        }
    }

    @Test func `do not open against their own success, whatever the others say`() async throws {
        // A busy machine lets some time pass between two calls.
        try await withReplicas(3, { $0.vetoLife = .seconds(60) }) { replicas in
            replicas.dependency.fails(for: [0, 1])

            try await replicas.calling(0..<3) { replicas.breaker(2).report.failingReplicas == 2 }
            for _ in 0..<50 { replicas.call(2) }

            #expect(replicas.breaker(2).report.refused == 0)
            #expect(replicas.standing(2) == .closed)
        }
    }

    @Test func `are no majority when they are alone`() async throws {
        try await withReplicas(2) { replicas in
            replicas.dependency.fails(for: [0])
            try await replicas.calling([0]) { replicas.isOpen(0) && replicas.breaker(1).report.failingReplicas == 1 }

            #expect(replicas.standing(1) == .closed)
        }
    }

    @Test func `close again when it is back`() async throws {
        try await withReplicas(3) { replicas in
            replicas.dependency.fails(for: 0..<3)
            try await replicas.calling(0..<2) { (0..<3).allSatisfy(replicas.isOpen) }
            replicas.dependency.fails(for: [])

            try await replicas.calling(0..<3) { (0..<3).allSatisfy { !replicas.isOpen($0) } }
        }
    }

    @Test func `try it with a few calls together, not with a few each`() async throws {
        try await withReplicas(3, { $0.openTime = .milliseconds(1); $0.probeInterval = .seconds(3_600) }) { replicas in
            replicas.dependency.fails(for: 0..<3)
            try await replicas.calling(0..<3) { (0..<3).allSatisfy { replicas.breaker($0).report.openings > 0 } }
            // Calls that were under way are not among the tries.
            let before = replicas.dependency.calls
            for _ in 0..<100 {
                (0..<3).forEach(replicas.call)
                try await Task.sleep(for: .milliseconds(5))
            }

            #expect(replicas.dependency.calls - before <= 3)
        }
    }

    @Test func `forget those that have died`() async throws {
        try await withReplicas(2) { replicas in
            let client = testClient(.durable, port: replicas.server.port)
            try await running([{ await client.run() }]) {
                // They were there a moment ago, and again if a busy machine has not heard of it before they are forgotten.
                try await until {
                    let parts = try #require(try await client.send(["TIME"]).array?.compactMap { $0.text.flatMap(Int.init) })
                    let end = (parts[0] + 2) * 1_000_000 + parts[1]
                    for dead in 1...3 { try await client.send(["HSET", "breaker:{test}:verdicts", "dead \(dead)", "\(end)|vitals|"]) }
                    return replicas.standing(0) == .openForOthers
                }
            }

            try await replicas.calling([]) { replicas.standing(0) == .closed }

            #expect(replicas.breaker(0).report.liveReplicas == 2)
        }
    }

    @Test(arguments: [true, false])
    func `go by their own judgement while Redis is away`(isKilled: Bool) async throws {
        try await withReplicas(3, { $0.verdictLife = .milliseconds(600) }) { replicas in
            if isKilled { try await replicas.server.kill() } else { try await replicas.server.suspend() }
            replicas.dependency.fails(for: [0, 1])

            try await replicas.calling(0..<3) { replicas.isOpen(0) && replicas.isOpen(1) }
            #expect(replicas.standing(2) == .closed)
            replicas.dependency.fails(for: [])
            try await replicas.calling(0..<3) { (0..<3).allSatisfy { !replicas.isOpen($0) } }
            if !isKilled { try await replicas.server.resume() }
        }
    }

    @Test func `write nothing to a disk for what they only hear`() async throws {
        try await withReplicas(1, { $0.verdictLife = .seconds(60) }) { replicas in
            let client = testClient(.durable, port: replicas.server.port)
            try await running([{ await client.run() }]) {
                let info = { try await client.send(["INFO", "persistence"]).text ?? "" }
                func changes() async throws -> String? {
                    try await info().split(whereSeparator: \.isNewline).first { $0.hasPrefix("rdb_changes_since_last_save") }.map(String.init)
                }
                try await until { try await client.integer(["HLEN", "breaker:{test}:verdicts"]) == 1 }
                let before = try await changes()
                for _ in 0..<20 { try await Task.sleep(for: .milliseconds(20)) }

                #expect(try await changes() == before)
            }
        }
    }
}

@Suite struct `One replica's breaker` {
    /// Every call is slow that is timed.
    private static let configuration: BreakerConfiguration = {
        var configuration = BreakerConfiguration()
        configuration.slowCall = .nanoseconds(1)
        configuration.minimumSpan = .zero
        return configuration
    }()

    @Test(arguments: [(isTimed: true, standing: CircuitBreaker.Standing.open), (false, .closed)])
    func `is opened by calls that take long, and not by streams that go on`(_ isTimed: Bool, _ standing: CircuitBreaker.Standing) throws {
        let breaker = CircuitBreaker("vitals", Self.configuration)

        for _ in 0..<Self.configuration.minimumCalls { breaker.ended(try breaker.admit(), .succeeded, isTimed: isTimed) }

        #expect(breaker.report.standing == standing)
    }
}
