import Redis
import Synchronization
import TestSupport
import Testing
import Time

@testable import Cache

@Suite struct `A tiered cache` {
    @Test func `fetches a value once, then serves it from its memory`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]

            for _ in 0..<100 { try await replica.serves(0) }

            #expect(replica.source.reads == 1)
            let statistics = replica.numbers.statistics
            #expect((statistics.local.hits, statistics.local.misses) == (99, 1))
            #expect((statistics.shared.hits, statistics.shared.misses, statistics.loads) == (0, 1, 1))
            #expect(statistics.localEntries == 1)
        }
    }

    @Test func `finds in Redis what another replica has fetched`() async throws {
        try await withReplicas(2) { replicas, _ in
            try await replicas[0].serves(0)
            try await replicas[1].serves(0)

            #expect(replicas[0].source.reads == 1)
            #expect(replicas[1].numbers.statistics.shared.hits == 1)
        }
    }

    @Test func `remembers that there is no such thing`() async throws {
        try await withReplicas(2) { replicas, _ in
            replicas[0].source.value = -1

            for replica in replicas {
                for _ in 0..<3 { try await replica.serves(nil) }
            }

            #expect(replicas[0].source.reads == 1)
        }
    }

    @Test func `has one value fetched once for ten thousand callers on three replicas`() async throws {
        try await withReplicas(3, { $0.leaseLife = .seconds(600) }) { replicas, _ in
            try await withThrowingTaskGroup { group in
                for index in 0..<10_000 {
                    group.addTask { try await replicas[index % 3].serves(0) }
                }
                try await group.waitForAll()
            }

            #expect(replicas[0].source.reads == 1)
        }
    }

    @Test func `gives every caller the error of the fetching, and remembers none`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]
            replica.source.isDown = true

            await #expect(throws: Source.Down.self) { try await replica.number() }
            replica.source.isDown = false

            try await replica.serves(0)
        }
    }

    @Test func `is not cancelled for a caller who is there`() async throws {
        try await withReplicas { replicas, _ in
            let source = replicas[0].source

            let value = try await replicas[0].numbers.value(for: Replica.key) {
                // As for who began the fetching, when another joined and had gone before the first one waited.
                if !source.isDown {
                    source.isDown = true
                    throw CancellationError()
                }
                return [7]
            }

            #expect(value == [7])
        }
    }

    @Test func `lets others fetch at once what could not be fetched by the deadline`() async throws {
        struct Late: Error {}

        try await withReplicas { replicas, _ in
            let replica = replicas[0]

            await #expect(throws: Late.self) {
                try await Deadline.with(.after(.milliseconds(200))) {
                    try await replica.numbers.value(for: Replica.key) {
                        while Deadline.current?.hasPassed == false { try await Task.sleep(for: .milliseconds(1)) }
                        throw Late()
                    }
                }
            }

            let leases = try await replica.hub.redis.exists(["cache:{numbers:shared:number}:lease"])
            #expect(leases == 0)
        }
    }

    @Test func `keeps for others what was fetched after the deadline`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]

            // Long enough for Redis to grant the lease.
            let value = try await Deadline.with(.after(.seconds(1))) {
                try await replica.numbers.value(for: Replica.key) {
                    while Deadline.current?.hasPassed == false { try await Task.sleep(for: .milliseconds(1)) }
                    return [1]
                }
            }

            let kept = try await replica.hub.redis.exists(["cache:{numbers:shared:number}:value"])
            let leases = try await replica.hub.redis.exists(["cache:{numbers:shared:number}:lease"])
            #expect(value == [1])
            #expect(kept == 1)
            #expect(leases == 0)
        }
    }

    @Test func `keeps for others what was fetched for a caller who has gone`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]
            let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
            let caller = Task {
                try await replica.numbers.value(for: Replica.key) {
                    beginning.yield()
                    // Ends when nobody waits any more.
                    try? await Task.sleep(for: .seconds(600))
                    return [1]
                }
            }
            _ = await begun.first { _ in true }
            caller.cancel()

            try await until { try await replica.hub.redis.exists(["cache:{numbers:shared:number}:value"]) == 1 }
            let leases = try await replica.hub.redis.exists(["cache:{numbers:shared:number}:lease"])
            #expect(leases == 0)
        }
    }

    @Test func `is told of changes, and programs without it are not`() async throws {
        try await withReplicas(3) { replicas, _ in
            let redis = replicas[0].hub.redis
            let cache = TieredCache("letters", hub: replicas[0].hub, codec: .bytes)
            // Its hub listens anew, for it has one more channel.
            try await until { try await redis.send(["PUBSUB", "NUMSUB", "cache:changes:letters"]).array?.last?.integer == 1 }

            let heard = try await redis.send(["PUBSUB", "NUMSUB", "cache:changes:numbers"]).array?.last?.integer

            #expect(heard == 3)
            #expect(cache.statistics.localEntries == 0)
        }
    }

    @Test func `hears of changes also if it was made while its hub listened`() async throws {
        try await withReplicas(2) { replicas, _ in
            let source = Source()
            let late = replicas.map { replica in TieredCache("late", hub: replica.hub, codec: .bytes) }
            try await until {
                try await replicas[0].hub.redis.send(["PUBSUB", "NUMSUB", "cache:changes:late"]).array?.last?.integer == 2
            }
            for cache in late {
                let value = try await cache.value(for: Replica.key) { try source.read() }
                #expect(value == Array("0".utf8))
            }

            try await late[0].changing([Replica.key]) { source.value = 1 }

            try await until { try await late[1].value(for: Replica.key) { try source.read() } == Array("1".utf8) }
        }
    }

    @Test func `serves its own change at once, and others soon`() async throws {
        try await withReplicas(3) { replicas, _ in
            for replica in replicas { try await replica.serves(0) }

            for value in 1...20 {
                try await replicas[value % 3].set(value)
                try await replicas[value % 3].serves(value)
                for replica in replicas { try await until { try await replica.number() == value } }
            }
        }
    }

    /// What was fetched before a change must not be kept after it, whichever replica fetches and whichever changes.
    @Test(arguments: [0, 1]) func `keeps nothing that was fetched before a change`(changer: Int) async throws {
        try await withReplicas(2) { replicas, _ in
            let (reading, mayFinish) = (Signal(), Signal())
            let slow = Task {
                try await replicas[0].numbers.value(for: Replica.key) {
                    let old = try replicas[0].source.read()
                    reading.fire()
                    await mayFinish.wait()
                    return old
                }
            }
            await reading.wait()

            try await replicas[changer].set(7)
            mayFinish.fire()
            let old = try await slow.value

            #expect(old == Array("0".utf8))
            for replica in replicas { try await replica.serves(7) }
        }
    }

    /// Whichever replica fetches and whichever changes; also where the change is of another cache's entry too.
    @Test(arguments: [0, 1]) func `has nobody who asks after a change join a fetching that began before it`(changer: Int) async throws {
        try await withReplicas(2) { replicas, _ in
            let source = replicas[0].source
            let sums = TieredCache("sums", hub: replicas[0].hub, codec: .bytes)
            let sum = CacheEntry(cache: "sums", key: .shared("sum"))
            try await until {
                try await replicas[0].hub.redis.send(["PUBSUB", "NUMSUB", "cache:changes:sums"]).array?.last?.integer == 1
            }
            let (reading, mayFinish) = (Signal(), Signal())
            let slow = Task {
                try await sums.value(for: sum.key) {
                    let old = try source.read()
                    reading.fire()
                    await mayFinish.wait()
                    return old
                }
            }
            defer { mayFinish.fire() }
            await reading.wait()

            try await replicas[changer].numbers.changing([Replica.key], and: [sum]) { source.value = 7 }
            if changer == 0 { #expect(sums.waiters(for: sum.key) == 0) }
            try await until { sums.waiters(for: sum.key) == 0 }
            let new = try await sums.value(for: sum.key) { try source.read() }

            mayFinish.fire()
            let old = try await slow.value

            #expect(new == Array("7".utf8) && old == Array("0".utf8))
        }
    }

    /// What is fetched then may be of before it. Nobody hears of the change's end either, as where the word of it is late.
    @Test func `has nobody who asks after a change join a fetching that began during it`() async throws {
        try await withReplicas(2, listening: false) { replicas, _ in
            let source = replicas[0].source
            let (reading, mayFinish) = (Signal(), Signal())
            defer { mayFinish.fire() }
            let slow = try await replicas[0].numbers.changing([Replica.key]) { () async throws -> Task<[UInt8]?, any Error> in
                let fetching = Task {
                    try await replicas[1].numbers.value(for: Replica.key) {
                        let old = try source.read()
                        reading.fire()
                        await mayFinish.wait()
                        return old
                    }
                }
                await reading.wait()
                source.value = 7
                return fetching
            }

            try #require(replicas[1].numbers.waiters(for: Replica.key) == 0)
            try await replicas[1].serves(7)

            mayFinish.fire()
            let old = try await slow.value
            #expect(old == Array("0".utf8))
        }
    }

    @Test func `keeps nothing while a change goes on, and is not stopped by one that fails`() async throws {
        struct Refused: Error {}

        try await withReplicas(2) { replicas, _ in
            try await replicas[1].serves(0)

            await #expect(throws: Refused.self) {
                try await replicas[0].numbers.changing([Replica.key]) {
                    try await until { try await replicas[1].number() == 0 && replicas[1].numbers.statistics.localEntries == 0 }
                    replicas[0].source.value = 1
                    try await replicas[1].serves(1)
                    replicas[0].source.value = 2
                    try await replicas[1].serves(2)
                    throw Refused()
                }
            }

            for replica in replicas { try await replica.serves(2) }
        }
    }

    @Test func `keeps values again after a change that has taken longer than its deadline`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]
            // Long enough for Redis to hear that it begins.
            try await Deadline.with(.after(.seconds(1))) {
                try await replica.numbers.changing([Replica.key]) {
                    while Deadline.current?.hasPassed == false { try await Task.sleep(for: .milliseconds(1)) }
                    replica.source.value = 1
                }
            }

            for _ in 0..<3 { try await replica.serves(1) }

            #expect(replica.source.reads == 1)
        }
    }

    @Test func `keeps nothing of a change until the unit of work is over that it is part of, and nothing that only its task sees`() async throws {
        try await withReplicas(2) { replicas, _ in
            try await replicas[1].serves(0)
            let unit = Unit()

            try await CurrentTask.$unit.withValue(unit) {
                try await replicas[0].set(1)
                let seen = try await replicas[0].numbers.value(for: .shared("another")) {
                    [CurrentTask.unit == nil ? 1 : 0]
                }
                #expect(seen == [1])
            }
            try await replicas[1].serves(1)
            replicas[0].source.value = 2
            try await replicas[1].serves(2)
            #expect(replicas.allSatisfy { $0.numbers.statistics.localEntries <= 1 })
            try await unit.end()

            for replica in replicas { try await replica.serves(2) }
            replicas[0].source.value = 3
            for replica in replicas { try await replica.serves(2) }
        }
    }

    @Test func `serves what is stale while it is fetched anew, where that is allowed`() async throws {
        try await withReplicas(1, { $0.life = .milliseconds(50); $0.staleLife = .seconds(600); $0.jitter = 0 }) { replicas, _ in
            let replica = replicas[0]
            try await replica.serves(0)
            replica.source.value = 1
            try await Task.sleep(for: .milliseconds(60))

            try await replica.serves(0)
            try await until { try await replica.number() == 1 }

            #expect(replica.numbers.statistics.servedStale >= 1)
        }
    }

    @Test func `packs what is large`() async throws {
        try await withReplicas(2) { replicas, _ in
            let text = [UInt8](repeating: 7, count: 50_000)

            let first = try await replicas[0].numbers.value(for: .shared("large")) { text }
            let second = try await replicas[1].numbers.value(for: .shared("large")) { nil }

            #expect(first == text && second == text)
            let statistics = replicas[0].numbers.statistics
            #expect(statistics.bytesBefore == 50_000 && statistics.bytesAfter < 1_000)
        }
    }

    @Test func `does not keep what is larger than allowed`() async throws {
        try await withReplicas(1, { $0.maxValueBytes = 1_000 }) { replicas, _ in
            for _ in 0..<2 {
                let value = try await replicas[0].numbers.value(for: .shared("large")) { [UInt8](repeating: 7, count: 1_001) }
                #expect(value?.count == 1_001)
            }

            let statistics = replicas[0].numbers.statistics
            #expect(statistics.loads == 2 && statistics.tooLarge == 2)
            #expect(statistics.localEntries == 0 && statistics.bytesAfter == 0)
        }
    }

    @Test func `is named among those of its program, with what it has done`() async throws {
        try await withReplicas { replicas, _ in
            try await replicas[0].serves(0)

            let known = replicas[0].hub.statistics
            #expect(known.map(\.cache) == ["numbers"])
            #expect(known[0].statistics.loads == 1)
        }
    }

    /// The model knows no time: what is kept lives longer than the test.
    @Test func `counts in each tier what a model of the tiers does`() async throws {
        try await withReplicas(2, { $0.localEntries = 8 }) { replicas, _ in
            var generator = SystemRandomNumberGenerator()
            var memories = replicas.map { _ in SieveTable<CacheKey, Bool>(capacity: 8) }
            var inRedis: Set<CacheKey> = []
            var expected = replicas.map { _ in CacheStatistics() }

            for _ in 0..<600 {
                let index = Int.random(in: 0..<2, using: &generator)
                let key = CacheKey.shared("\(Int.random(in: 0..<24, using: &generator))")
                if Int.random(in: 0..<50, using: &generator) == 0 {
                    replicas[index].numbers.forgetLocally()
                    memories[index].removeAll()
                }
                let number = try await replicas[index].number(key)
                #expect(number == 0)
                if memories[index].value(for: key) != nil {
                    expected[index].local.hits += 1
                    continue
                }
                expected[index].local.misses += 1
                memories[index].set(true, for: key)
                if inRedis.insert(key).inserted {
                    expected[index].shared.misses += 1
                    expected[index].loads += 1
                } else {
                    expected[index].shared.hits += 1
                }
            }

            for (index, replica) in replicas.enumerated() {
                let (counted, model) = (replica.numbers.statistics, expected[index])
                #expect((counted.local.hits, counted.local.misses) == (model.local.hits, model.local.misses))
                #expect((counted.shared.hits, counted.shared.misses) == (model.shared.hits, model.shared.misses))
                #expect(counted.local.hitRate == model.local.hitRate && counted.shared.hitRate == model.shared.hitRate)
                #expect((counted.loads, counted.evictions) == (model.loads, memories[index].evictions))
            }
        }
    }

    @Test func `keeps nothing that its codec says not to keep`() async throws {
        try await withReplicas { replicas, _ in
            let cache = TieredCache("halves", hub: replicas[0].hub, codec: .bytes.keeping { $0.count > 1 })
            let loads = Source()

            for _ in 0..<3 {
                let half = try await cache.value(for: Replica.key) { [UInt8(try loads.read()?.count ?? 0)] }
                #expect(half == [1])
            }

            #expect(loads.reads == 3)
            #expect(cache.statistics.localEntries == 0)
        }
    }

    @Test func `takes entries of other caches away that are made of the same, of other programs too`() async throws {
        try await withReplicas(2) { replicas, _ in
            let source = replicas[0].source
            let sums = TieredCache("sums", hub: replicas[1].hub, codec: .bytes)
            let sum = CacheEntry(cache: "sums", key: .shared("sum"))
            func read() async throws -> String? {
                try await sums.value(for: sum.key) { try source.read() }.map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(try await read() == "0")

            try await replicas[0].numbers.changing([Replica.key], and: [sum]) { source.value = 7 }
            try await until { sums.statistics.localEntries == 0 }

            #expect(try await read() == "7")
        }
    }

    @Test func `that keeps nothing in its process is at once what another has changed`() async throws {
        try await withReplicas(2, { $0.localLife = .zero; $0.localLifeUnheard = .zero }) { replicas, _ in
            for value in 1...200 {
                try await replicas[0].set(value)
                try await replicas[1].serves(value)
                try await replicas[1].serves(value)
            }

            #expect(replicas[1].numbers.statistics.shared.hits == 200)
            #expect(replicas.allSatisfy { $0.numbers.statistics.localEntries == 0 })
        }
    }

    @Test func `is asked past its memory by whoever cannot wait until it has heard of a change`() async throws {
        try await withReplicas { replicas, _ in
            let (replica, source) = (replicas[0], replicas[0].source)
            try await replica.serves(0)
            // As another replica does it, the word of which has not come yet.
            source.value = 7
            _ = try await replica.hub.redis.send(["DEL", "cache:{numbers:shared:number}:value"])
            try await replica.serves(0)

            let value = try await replica.numbers.value(for: Replica.key, pastMemory: true) { try source.read() }

            #expect(value == Array("7".utf8))
            try await replica.serves(7)
        }
    }

    @Test func `tells how long its tiers take`() async throws {
        try await withReplicas { replicas, _ in
            for _ in 0..<130 { try await replicas[0].serves(0) }

            let statistics = replicas[0].numbers.statistics
            #expect(statistics.local.latency.samples == 3)
            #expect(statistics.shared.latency.samples == 1 && statistics.loadLatency.samples == 1)
            // The one look into Redis is mean and percentile, to two digits.
            let look = statistics.shared.latency
            #expect(look.mean > .zero && look.mean * 0.98 < look.p95 && look.p95 < look.mean * 1.02)
        }
    }

    @Test func `fetches anew what it cannot read`() async throws {
        try await withReplicas { replicas, _ in
            let replica = replicas[0]
            try await replica.hub.redis.set("cache:{numbers:shared:number}:value", to: "nonsense")

            try await replica.serves(0)
            replica.numbers.forgetLocally()

            try await replica.serves(0)
            #expect(replica.source.reads == 1)
        }
    }

    @Test func `goes on for the others when one caller gives up, and stops when all have`() async throws {
        try await withReplicas { replicas, _ in
            let (began, mayFinish, wasCancelled) = (Signal(), Signal(), Signal())
            let load: @Sendable () async throws -> [UInt8]? = {
                began.fire()
                await withTaskCancellationHandler { await mayFinish.wait() } onCancel: {
                    wasCancelled.fire()
                    mayFinish.fire()
                }
                return [1]
            }
            let first = Task { try await replicas[0].numbers.value(for: .shared("slow"), load: load) }
            await began.wait()
            let second = Task { try await replicas[0].numbers.value(for: .shared("slow"), load: load) }
            try await until { replicas[0].numbers.waiters(for: .shared("slow")) == 2 }

            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(replicas[0].numbers.waiters(for: .shared("slow")) == 1)
            second.cancel()

            await wasCancelled.wait()
            await #expect(throws: CancellationError.self) { try await second.value }
        }
    }
}

/// Something that happens once, for others to wait for.
private struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    }

    func fire() { continuation.finish() }

    func wait() async { for await _ in stream {} }
}

/// A unit of work that a test ends.
private final class Unit: UnitOfWork {
    private let actions = Mutex<[@Sendable (UnitOutcome) async throws -> Void]>([])

    func atEnd(_ action: @escaping @Sendable (_ outcome: UnitOutcome) async throws -> Void) { actions.withLock { $0.append(action) } }

    func end() async throws {
        for action in actions.withLock({ $0 }) { try await action(.committed) }
    }
}
