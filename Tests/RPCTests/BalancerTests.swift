import Testing

@testable import RPC

/// Numbers that anybody can foretell.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension RPCAddress {
    static let a = RPCAddress(host: "a", port: 1)
    static let b = RPCAddress(host: "b", port: 1)
    static let c = RPCAddress(host: "c", port: 1)
    static let d = RPCAddress(host: "d", port: 1)
}

@Suite struct `Calls to several addresses` {
    private func make(_ policy: LoadBalancing.Policy, ready: Bool = true) -> Balancer {
        var balancer = Balancer(policy, addresses: [.a, .b, .c])
        if ready { for index in 0..<3 { balancer.changed(index, to: .ready) } }
        return balancer
    }

    private func picks(_ balancer: inout Balancer, _ count: Int, avoiding: [RPCAddress] = []) -> [Balancer.Pick] {
        var generator = SeededGenerator(seed: 1)
        return (0..<count).map { _ in balancer.pick(avoiding: avoiding, using: &generator) }
    }

    @Test func `go round`() {
        var balancer = make(.roundRobin)

        let picks = picks(&balancer, 6)

        #expect(Set(picks[..<3]) == [.use(0), .use(1), .use(2)])
        #expect(picks[..<3] == picks[3...])
    }

    @Test func `go round those that are ready`() {
        var balancer = make(.roundRobin)

        balancer.changed(1, to: .transientFailure(reason: "refused"))

        #expect(Set(picks(&balancer, 4)) == [.use(0), .use(2)])
        #expect(balancer.state == .ready)
    }

    @Test func `go mostly where the fewest are under way`() {
        var balancer = make(.leastRequests(choices: 2))
        for _ in 0..<10 { balancer.callBegan(0) }
        for _ in 0..<10 { balancer.callBegan(1) }
        balancer.callBegan(2)

        let picks = picks(&balancer, 900)

        // With two choices out of three, the idle one is among them in five of nine cases.
        let idle = picks.count { $0 == .use(2) }
        #expect((400...600).contains(idle))
    }

    @Test func `go to the least busy of many choices`() {
        var balancer = make(.leastRequests(choices: 10))
        balancer.callBegan(0)
        balancer.callBegan(1)
        balancer.callBegan(2)
        balancer.callEnded(1)

        let picks = picks(&balancer, 100)

        #expect(picks.count { $0 == .use(1) } > 90)
    }

    @Test func `keep to the first that can be reached, and move on from one that cannot`() {
        var balancer = make(.pickFirst, ready: false)

        #expect(balancer.wanted == [0])
        balancer.changed(0, to: .connecting)
        balancer.changed(0, to: .transientFailure(reason: "refused"))
        #expect(balancer.wanted == [1])
        balancer.changed(1, to: .connecting)
        balancer.changed(1, to: .ready)

        #expect(picks(&balancer, 3) == [.use(1), .use(1), .use(1)])
    }

    @Test func `try the next beside one that is silent, and keep to whichever answers first`() {
        var balancer = make(.pickFirst, ready: false)
        balancer.changed(0, to: .connecting)
        balancer.passOver()
        #expect(balancer.wanted == [1])
        balancer.changed(1, to: .connecting)
        balancer.passOver()
        balancer.changed(2, to: .transientFailure(reason: "refused"))

        // The two that have not failed are waited for.
        #expect(balancer.isSeeking)
        #expect(picks(&balancer, 1) == [.wait])
        balancer.changed(1, to: .ready)
        #expect(picks(&balancer, 2) == [.use(1), .use(1)])
        #expect(balancer.sole == 1)
        balancer.changed(0, to: .ready)

        #expect(balancer.isSpare(0) && !balancer.isSpare(1))
        #expect(picks(&balancer, 1) == [.use(1)])
    }

    @Test func `move on to an address that comes when all before it have failed`() {
        var balancer = Balancer(.pickFirst, addresses: [.a])
        balancer.changed(0, to: .transientFailure(reason: "refused"))

        balancer.update([.a, .b])

        #expect(balancer.wanted == [1])
    }

    @Test func `come back to the first when all have failed and its pause is over`() {
        var balancer = make(.pickFirst, ready: false)
        for index in 0..<3 { balancer.changed(index, to: .transientFailure(reason: "refused")) }

        #expect(picks(&balancer, 1) == [.fail(reason: "refused")])
        balancer.changed(0, to: .idle)

        #expect(balancer.wanted == [0])
        #expect(picks(&balancer, 1) == [.wait])
    }

    @Test(arguments: [LoadBalancing.Policy.pickFirst, .roundRobin, .leastRequests(choices: 2)])
    func `do not wait for one that was silent while it is tried again`(policy: LoadBalancing.Policy) {
        var balancer = Balancer(policy, addresses: [.a])
        balancer.changed(0, to: .connecting)
        #expect(picks(&balancer, 1) == [.wait])
        balancer.changed(0, to: .transientFailure(reason: "silent"))
        balancer.changed(0, to: .idle)
        // Somebody has to want it.
        #expect(picks(&balancer, 1) == [.wait])

        balancer.changed(0, to: .connecting)

        #expect(picks(&balancer, 1) == [.fail(reason: "silent")])
        balancer.changed(0, to: .ready)
        balancer.changed(0, to: .idle)
        balancer.changed(0, to: .connecting)
        #expect(picks(&balancer, 1) == [.wait])
    }

    @Test(arguments: [LoadBalancing.Policy.roundRobin, .leastRequests(choices: 2)])
    func `connect to all addresses`(policy: LoadBalancing.Policy) {
        let balancer = make(policy, ready: false)

        #expect(balancer.wanted == [0, 1, 2])
        #expect(balancer.state == .idle)
    }

    @Test func `wait while an address is being tried, and fail when all have failed`() {
        var balancer = make(.roundRobin, ready: false)
        balancer.changed(0, to: .transientFailure(reason: "refused"))
        balancer.changed(1, to: .connecting)
        balancer.changed(2, to: .transientFailure(reason: "late"))

        #expect(picks(&balancer, 1) == [.wait])
        #expect(balancer.state == .connecting)
        balancer.changed(1, to: .transientFailure(reason: "refused"))

        #expect(picks(&balancer, 1) == [.fail(reason: "refused")])
        #expect(balancer.state == .transientFailure(reason: "refused"))
    }

    @Test func `leave out what is ejected, unless nothing else is there`() {
        var balancer = make(.roundRobin)

        balancer.ejected(0, true)
        balancer.ejected(1, true)
        #expect(Set(picks(&balancer, 4)) == [.use(2)])
        balancer.changed(2, to: .transientFailure(reason: "refused"))

        #expect(Set(picks(&balancer, 4)) == [.use(0), .use(1)])
    }

    @Test func `that are repeated go where they have not been while there is such a place`() {
        var balancer = make(.roundRobin)

        #expect(Set(picks(&balancer, 6, avoiding: [.a, .b])) == [.use(2)])
        #expect(Set(picks(&balancer, 6, avoiding: [.a, .b, .c])) == [.use(0), .use(1), .use(2)])
    }

    @Test func `keep what is known of addresses that stay when others come`() {
        var balancer = make(.roundRobin)
        balancer.callBegan(1)

        balancer.update([.d, .b, .b])

        #expect(balancer.endpoints.map(\.address) == [.d, .b])
        #expect(balancer.endpoints[1].callsUnderWay == 1)
        #expect(balancer.endpoints[1].state == .ready)
        #expect(balancer.wanted == [0])
        #expect(picks(&balancer, 2) == [.use(1), .use(1)])
    }

    @Test func `wait when no address is known yet`() {
        var balancer = Balancer(.roundRobin)

        #expect(picks(&balancer, 1) == [.wait])
        #expect(balancer.state == .idle)
    }
}

@Suite struct `An address whose calls fail` {
    private let start = ContinuousClock.now
    private let all: [RPCAddress] = [.a, .b, .c, .d]

    private func make(_ change: (inout OutlierDetection) -> Void) -> OutlierDetector {
        var config = OutlierDetection()
        config.maxEjectionPercent = 50
        change(&config)
        var detector = OutlierDetector(config)
        detector.update(all)
        return detector
    }

    private func byPercentage(_ detection: inout OutlierDetection) {
        var rule = OutlierDetection.FailurePercentage()
        rule.minimumHosts = 2
        rule.requestVolume = 10
        rule.threshold = 50
        detection.failurePercentage = rule
    }

    private func record(_ detector: inout OutlierDetector, _ address: RPCAddress, good: Int, bad: Int) {
        for _ in 0..<good { detector.callEnded(at: address, succeeded: true) }
        for _ in 0..<bad { detector.callEnded(at: address, succeeded: false) }
    }

    @Test func `is left out when more fail than the threshold allows`() {
        var detector = make(byPercentage)
        record(&detector, .a, good: 2, bad: 18)
        record(&detector, .b, good: 10, bad: 10)
        record(&detector, .c, good: 20, bad: 0)

        let ejected = detector.sweep(now: start) { 0 }

        #expect(ejected == [.a])
    }

    @Test func `is not judged by a few calls, nor by those of the interval before`() {
        var detector = make(byPercentage)
        record(&detector, .a, good: 0, bad: 9)
        let first = detector.sweep(now: start) { 0 }
        record(&detector, .a, good: 0, bad: 9)

        let second = detector.sweep(now: start) { 0 }

        #expect(first.isEmpty)
        #expect(second.isEmpty)
    }

    @Test func `is left out when it succeeds far less often than the others`() {
        var detector = make { config in
            var rule = OutlierDetection.SuccessRate()
            rule.minimumHosts = 4
            rule.requestVolume = 10
            rule.stdevFactor = 1_500
            config.successRate = rule
        }
        for address in [RPCAddress.a, .b, .c] { record(&detector, address, good: 99, bad: 1) }
        record(&detector, .d, good: 60, bad: 40)

        let ejected = detector.sweep(now: start) { 0 }

        #expect(ejected == [.d])
    }

    @Test func `is not left out when all fail alike`() {
        var detector = make { config in
            var rule = OutlierDetection.SuccessRate()
            rule.minimumHosts = 4
            rule.requestVolume = 10
            config.successRate = rule
        }
        for address in all { record(&detector, address, good: 10, bad: 90) }

        let ejected = detector.sweep(now: start) { 0 }

        #expect(ejected.isEmpty)
    }

    @Test func `stays when the share of those left out would be too large`() {
        var detector = make(byPercentage)
        for address in all { record(&detector, address, good: 0, bad: 20) }

        let ejected = detector.sweep(now: start) { 0 }

        #expect(ejected == [.a, .b])
    }

    @Test func `may be the only one left out however small the share, and the last one never is`() {
        var detector = make { config in
            byPercentage(&config)
            config.maxEjectionPercent = 0
        }
        for address in all { record(&detector, address, good: 0, bad: 20) }
        #expect(detector.sweep(now: start, chance: { 0 }) == [.a])

        var pair = make { config in
            byPercentage(&config)
            config.maxEjectionPercent = 100
        }
        pair.update([.a, .b])
        record(&pair, .a, good: 0, bad: 20)
        record(&pair, .b, good: 0, bad: 20)
        #expect(pair.sweep(now: start, chance: { 0 }) == [.a])
    }

    @Test func `is left out only as often as is enforced`() {
        var detector = make { config in
            byPercentage(&config)
            config.failurePercentage?.enforcementPercent = 30
        }
        record(&detector, .a, good: 0, bad: 20)

        #expect(detector.sweep(now: start, chance: { 30 }).isEmpty)
        record(&detector, .a, good: 0, bad: 20)
        #expect(detector.sweep(now: start, chance: { 29 }) == [.a])
    }

    @Test func `comes back after the base time, and later each time that it fails again`() {
        var detector = make { config in
            byPercentage(&config)
            config.baseEjectionTime = .seconds(30)
        }
        record(&detector, .a, good: 0, bad: 20)
        #expect(detector.sweep(now: start, chance: { 0 }) == [.a])
        #expect(detector.sweep(now: start + .seconds(30), chance: { 0 }) == [.a])
        #expect(detector.sweep(now: start + .seconds(31), chance: { 0 }).isEmpty)
        record(&detector, .a, good: 0, bad: 20)
        #expect(detector.sweep(now: start + .seconds(40), chance: { 0 }) == [.a])

        #expect(detector.sweep(now: start + .seconds(95), chance: { 0 }) == [.a])
        #expect(detector.sweep(now: start + .seconds(101), chance: { 0 }).isEmpty)
    }

    @Test func `is never left out for longer than the limit`() {
        var detector = make { config in
            byPercentage(&config)
            config.baseEjectionTime = .seconds(10)
            config.maxEjectionTime = .seconds(15)
        }
        var now = start
        for _ in 0..<5 {
            record(&detector, .a, good: 0, bad: 20)
            #expect(detector.sweep(now: now, chance: { 0 }) == [.a])
            now += .seconds(16)
            #expect(detector.sweep(now: now, chance: { 0 }).isEmpty)
        }
    }

    @Test func `is blamed for what is the server's fault, and not for answers`() {
        #expect(OutlierDetector.blames(.unavailable))
        #expect(OutlierDetector.blames(.deadlineExceeded))
        #expect(!OutlierDetector.blames(.notFound))
        #expect(!OutlierDetector.blames(.unauthenticated))
    }
}
