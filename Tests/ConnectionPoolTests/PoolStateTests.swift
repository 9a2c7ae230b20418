import Testing
@testable import ConnectionPool

@Suite struct `A pool's state` {
    private let start = ContinuousClock.now

    private func make(
        minimum: Int = 0, maximum: Int = 2, waiters: Int = 10
    ) -> PoolState {
        PoolState(configuration: PoolConfiguration(
            minimumConnections: minimum, maximumConnections: maximum, maximumWaiters: waiters,
            idleTimeout: .seconds(60), healthCheckInterval: .seconds(30),
            initialBackoff: .milliseconds(100), maximumBackoff: .seconds(1)
        ))
    }

    @Test func `opens its minimum at the start`() {
        var pool = make(minimum: 2, maximum: 3)

        #expect(pool.start() == [.connect(1), .connect(2)])
        #expect(pool.connected(1, at: start) == [])
        #expect(pool.connected(2, at: start) == [])
        #expect(pool.idleCount == 2)
    }

    @Test func `opens one connection per waiter up to its maximum`() {
        var pool = make(maximum: 2)

        #expect(pool.acquire(1) == .waiting([.connect(1)]))
        #expect(pool.acquire(2) == .waiting([.connect(2)]))
        #expect(pool.acquire(3) == .waiting([]))
    }

    @Test func `serves in the order of arrival`() {
        var pool = make(maximum: 1)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.acquire(3)

        #expect(pool.connected(1, at: start) == [.lend(1, to: 1)])
        #expect(pool.release(1, isUsable: true, at: start) == [.lend(1, to: 2)])
        #expect(pool.release(1, isUsable: true, at: start) == [.lend(1, to: 3)])
        #expect(pool.release(1, isUsable: true, at: start) == [])
        #expect(pool.acquire(4) == .lent(1))
    }

    @Test func `passes over who has given up`() {
        var pool = make(maximum: 1)
        _ = pool.acquire(1)
        _ = pool.acquire(2)

        #expect(pool.giveUp(1) == true)
        #expect(pool.giveUp(1) == false)

        #expect(pool.connected(1, at: start) == [.lend(1, to: 2)])
        #expect(pool.giveUp(2) == false)
    }

    @Test func `turns away who would wait in too long a queue`() {
        var pool = make(maximum: 1, waiters: 1)
        _ = pool.acquire(1)

        #expect(pool.acquire(2) == .refused(.tooManyWaiters))
    }

    @Test func `gives the slot of a broken connection to a new one`() {
        var pool = make(maximum: 1)
        _ = pool.acquire(1)
        _ = pool.connected(1, at: start)
        _ = pool.acquire(2)

        #expect(pool.release(1, isUsable: false, at: start) == [.close(1)])
        #expect(pool.openCount == 1)
        #expect(pool.closed(1) == [.connect(2)])
        #expect(pool.connected(2, at: start) == [.lend(2, to: 2)])
    }

    @Test func `replaces an idle connection that breaks`() {
        var pool = make(minimum: 1, maximum: 1)
        _ = pool.start()
        _ = pool.connected(1, at: start)

        #expect(pool.broke(1) == [.close(1)])
        #expect(pool.closed(1) == [.connect(2)])
        #expect(pool.broke(1) == [])
    }

    @Test func `waits longer after each failure, by a random part, and tries with one connection`() {
        var pool = make(minimum: 2, maximum: 4)
        _ = pool.start()

        #expect(pool.connectFailed(1, jitter: 1) == [.pause(.milliseconds(100))])
        #expect(pool.connectFailed(2, jitter: 1) == [])
        #expect(pool.acquire(1) == .waiting([]))
        #expect(pool.backoffElapsed() == [.connect(3)])
        #expect(pool.connectFailed(3, jitter: 0) == [.pause(.milliseconds(100))])
        #expect(pool.backoffElapsed() == [.connect(4)])
        #expect(pool.connectFailed(4, jitter: 1) == [.pause(.milliseconds(400))])
        #expect(pool.backoffElapsed() == [.connect(5)])
        #expect(pool.connectFailed(5, jitter: 1) == [.pause(.milliseconds(800))])
        #expect(pool.backoffElapsed() == [.connect(6)])
        #expect(pool.connectFailed(6, jitter: 1) == [.pause(.seconds(1))])
    }

    @Test func `counts attempts that fail together as one failure`() {
        var pool = make(maximum: 20, waiters: 20)
        for waiter in 1...20 { _ = pool.acquire(waiter) }

        let pauses = (1...20).flatMap { pool.connectFailed($0, jitter: 1) }

        #expect(pauses == [.pause(.milliseconds(100))])
        #expect(pool.backoffElapsed() == [.connect(21)])
        #expect(pool.connectFailed(21, jitter: 1) == [.pause(.milliseconds(200))])
    }

    @Test func `opens the rest once the server is back`() {
        var pool = make(minimum: 2, maximum: 4)
        _ = pool.start()
        _ = pool.connectFailed(1, jitter: 1)
        _ = pool.connectFailed(2, jitter: 1)
        _ = pool.backoffElapsed()

        #expect(pool.connected(3, at: start) == [.connect(4)])
    }

    @Test func `closes what is idle for too long, down to the minimum, and checks the rest`() {
        var pool = make(minimum: 1, maximum: 2)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.connected(1, at: start)
        _ = pool.connected(2, at: start)
        _ = pool.release(1, isUsable: true, at: start)
        _ = pool.release(2, isUsable: true, at: start)

        #expect(pool.tick(at: start + .seconds(29)) == [])
        #expect(pool.tick(at: start + .seconds(61)) == [.close(1), .check(2)])
        #expect(pool.acquire(3) == .waiting([]))
        #expect(pool.closed(1) == [.connect(3)])
        #expect(pool.checked(2, isHealthy: true, at: start + .seconds(61)) == [.lend(2, to: 3)])
    }

    @Test func `closes what fails its check`() {
        var pool = make(minimum: 1, maximum: 1)
        _ = pool.start()
        _ = pool.connected(1, at: start)

        #expect(pool.tick(at: start + .seconds(31)) == [.check(1)])
        #expect(pool.checked(1, isHealthy: false, at: start + .seconds(32)) == [.close(1)])
        #expect(pool.closed(1) == [.connect(2)])
    }

    @Test func `drains: refuses who waits, closes what is idle, awaits what is lent`() {
        var pool = make(maximum: 2)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.connected(1, at: start)
        _ = pool.connected(2, at: start)
        _ = pool.release(2, isUsable: true, at: start)

        #expect(pool.shutDown() == [.close(2)])
        #expect(pool.acquire(3) == .refused(.shutDown))
        #expect(pool.closed(2) == [])
        #expect(pool.release(1, isUsable: true, at: start) == [.close(1)])
        #expect(pool.closed(1) == [.finish])
    }

    @Test func `refuses those in the queue when it shuts down and awaits no attempt to connect`() {
        var pool = make(maximum: 1)
        _ = pool.acquire(1)
        _ = pool.acquire(2)

        #expect(pool.shutDown() == [.refuse(1), .refuse(2), .finish])
        #expect(pool.connectFailed(1, jitter: 0) == [])
    }

    @Test func `gives up waiting for what is lent when draining takes too long`() {
        var pool = make(maximum: 1)
        _ = pool.acquire(1)
        _ = pool.connected(1, at: start)
        _ = pool.shutDown()

        #expect(pool.abandon() == [.finish])
        #expect(pool.abandon() == [])
        #expect(pool.release(1, isUsable: true, at: start) == [])
        #expect(pool.openCount == 0)
    }

    @Test(arguments: 1...5) func `keeps its promises under random events`(seed: UInt64) {
        var random = SplitMix(state: seed)
        var pool = make(minimum: 1, maximum: 3, waiters: 5)
        var connecting: Set<Int> = [], leased: Set<Int> = [], closing: Set<Int> = [], checking: Set<Int> = []
        var queue: [Int] = []
        var isPausing = false
        func take(_ actions: [PoolState.Action]) {
            for action in actions {
                switch action {
                case .connect(let id): connecting.insert(id)
                case .lend(let id, let waiter):
                    #expect(queue.first == waiter && !leased.contains(id))
                    queue.removeFirst()
                    leased.insert(id)
                case .close(let id): closing.insert(id)
                case .check(let id): checking.insert(id)
                case .pause:
                    #expect(!isPausing)
                    isPausing = true
                case .refuse, .finish: Issue.record("the pool was not shut down")
                case .report: Issue.record("nobody looks for long loans")
                }
            }
            #expect(connecting.count + leased.count + closing.count + checking.count + pool.idleCount == pool.openCount)
            #expect(pool.openCount <= 3)
            #expect(pool.idleCount == 0 || queue.isEmpty)
        }
        take(pool.start())
        for step in 0..<2_000 {
            let now = start + .seconds(step)
            switch UInt8.random(in: 0..<9, using: &random) {
            case 0, 1:
                switch pool.acquire(step) {
                case .lent(let id): #expect(leased.insert(id).inserted && queue.isEmpty)
                case .waiting(let actions):
                    queue.append(step)
                    take(actions)
                case .refused: #expect(queue.count == 5)
                }
            case 2: if let id = connecting.popFirst() { take(pool.connected(id, at: now)) }
            case 3: if let id = connecting.popFirst() { take(pool.connectFailed(id, jitter: 0.5)) }
            case 4, 5: if let id = leased.popFirst() { take(pool.release(id, isUsable: step % 5 != 0, at: now)) }
            case 6: if let id = closing.popFirst() { take(pool.closed(id)) }
            case 7: if let id = checking.popFirst() { take(pool.checked(id, isHealthy: step % 3 != 0, at: now)) }
            default:
                if isPausing {
                    isPausing = false
                    take(pool.backoffElapsed())
                } else if let waiter = queue.randomElement(using: &random), step % 4 == 0 {
                    #expect(pool.giveUp(waiter) == true)
                    queue.removeAll { $0 == waiter }
                } else {
                    take(pool.tick(at: now))
                }
            }
        }
    }
}

/// A small generator whose runs can be repeated (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators").
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
