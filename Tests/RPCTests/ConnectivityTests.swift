import Testing

@testable import RPC

@Suite struct `A call that no server began` {
    @Test func `is sent again as often as is allowed when it was refused`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        for _ in 0..<2 {
            stream.sent()
            let isSentAgain = stream.unseen(.refused)
            #expect(isSentAgain)
        }
        stream.sent()
        let isSentAgain2 = stream.unseen(.refused)
        #expect(!isSentAgain2)
    }

    @Test func `is sent again without end while it has not left`() {
        var stream = ClientStream(maxTransparentRetries: 0)

        for _ in 0..<100 {
            stream.sent()
            let isSentAgain = stream.unseen(.neverLeft)
            #expect(isSentAgain)
        }
    }

    @Test func `is sent again after a few restarts in a row, and not after many`() {
        var stream = ClientStream(maxTransparentRetries: 0)
        var count = 0

        stream.sent()
        while stream.unseen(.leftOut) {
            count += 1
            stream.sent()
        }

        #expect(count == 5)
    }

    @Test func `is not sent again once the server has begun to answer`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        stream.sent()
        stream.begun()

        let isSentAgain = stream.unseen(.refused)
        #expect(!isSentAgain)
    }

    @Test func `is not sent again when a part of it was not kept`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        stream.sent()
        stream.canBeRepeated = false

        let isSentAgain = stream.unseen(.neverLeft)
        #expect(!isSentAgain)
    }

    @Test func `ends once`() {
        var stream = ClientStream(maxTransparentRetries: 0)

        let ending = stream.end()
        #expect(ending)
        let ending2 = stream.end()
        #expect(!ending2)
        #expect(stream.isEnded)
    }
}

@Suite struct `A channel's way to an address` {
    private func make() -> Connectivity {
        Connectivity(backoff: Backoff(initial: .seconds(1), limit: .seconds(3), multiplier: 2))
    }

    @Test func `is sought once when it is wanted`() {
        var way = make()

        let begins = way.wanted()
        let beginsAgain = way.wanted()
        let isWanted = way.connected()

        #expect(begins)
        #expect(!beginsAgain)
        #expect(isWanted)
        #expect(way.state == .ready)
    }

    @Test func `is not sought in the pause after a failure, and is idle after it`() {
        var way = make()
        _ = way.wanted()

        let pause = way.attemptFailed("refused", elapsed: .zero, chance: 0.5)
        let beginsInPause = way.wanted()
        let changes = way.pauseEnded()

        #expect(pause == .seconds(1))
        #expect(!beginsInPause)
        #expect(changes)
        #expect(way.state == .idle)
    }

    @Test func `counts a pause from the beginning of the attempt`() {
        var way = make()
        _ = way.wanted()
        let first = way.attemptFailed("refused", elapsed: .milliseconds(400), chance: 0.5)
        _ = way.pauseEnded()
        _ = way.wanted()

        let second = way.attemptFailed("slow", elapsed: .seconds(20), chance: 0.5)

        #expect(first == .milliseconds(600))
        #expect(second == .zero)
    }

    @Test func `gives an attempt as long as the pause behind it, and never less than the minimum`() {
        var way = make()

        #expect(way.attemptLimit(atLeast: .seconds(2)) == .seconds(2))
        for _ in 0..<3 {
            _ = way.wanted()
            _ = way.attemptFailed("refused", elapsed: .zero, chance: 0.5)
            _ = way.pauseEnded()
        }
        #expect(way.attemptLimit(atLeast: .seconds(2)) == .seconds(3))
    }

    @Test func `begins with short pauses again after a good connection`() {
        var way = make()
        _ = way.wanted()
        _ = way.attemptFailed("refused", elapsed: .zero, chance: 0.5)
        _ = way.pauseEnded()
        _ = way.wanted()
        _ = way.connected()
        way.lost()
        _ = way.wanted()

        let pause = way.attemptFailed("refused", elapsed: .zero, chance: 0.5)

        #expect(pause == .seconds(1))
    }

    @Test func `is idle when the connection was lost`() {
        var way = make()
        _ = way.wanted()
        _ = way.connected()

        way.lost()

        #expect(way.state == .idle)
    }

    @Test func `is closed for good`() {
        var way = make()
        _ = way.wanted()

        way.close()

        let isWanted = way.connected()
        #expect(!isWanted)
        let pause = way.attemptFailed("late", elapsed: .zero, chance: 0)
        #expect(pause == nil)
        let begins = way.wanted()
        #expect(!begins)
    }

    @Test func `pauses longer after each failure, within a fifth, up to the limit, and shortly again after success`() {
        var backoff = Backoff(initial: .seconds(1), limit: .seconds(3), multiplier: 2)

        let growing = [0, 1, 0.5, 0.5].map { backoff.next(chance: $0) }
        backoff.reset()
        let again = backoff.next(chance: 0.5)

        #expect(growing.map { ($0 / .milliseconds(1)).rounded() } == [800, 2_400, 3_000, 3_000])
        #expect(again == .seconds(1))
    }

    @Test func `goes as gRPC's connection-backoff document says when nothing else is configured`() {
        let configuration = RPCChannelConfiguration()
        var backoff = Backoff(
            initial: configuration.initialBackoff, limit: configuration.maxBackoff,
            multiplier: configuration.backoffMultiplier)

        let pauses = (0..<20).map { _ in backoff.next(chance: 0.5) }

        #expect(pauses[0] == .seconds(1))
        #expect(((pauses[1] / .milliseconds(1)).rounded()) == 1_600)
        #expect(pauses[19] == .seconds(120))
    }
}

@Suite struct `A name that is looked up` {
    private let start = ContinuousClock.now

    @Test func `is looked up at once, and by one at a time`() {
        var resolution = Resolution(interval: .seconds(30))

        let first = resolution.wanted(now: start)
        let second = resolution.wanted(now: start)

        #expect(first == .lookUp)
        #expect(second == .nothing)
    }

    @Test func `is not looked up again before the interval has passed`() {
        var resolution = Resolution(interval: .seconds(30))
        _ = resolution.wanted(now: start)
        resolution.ended(succeeded: true, now: start)

        let soon = resolution.wanted(now: start + .seconds(10))
        let meanwhile = resolution.wanted(now: start + .seconds(20))
        let isDue = resolution.waited()

        #expect(soon == .wait(.seconds(20)))
        #expect(meanwhile == .nothing)
        #expect(isDue)
    }

    @Test func `is looked up again soon when nothing was found`() {
        var resolution = Resolution(interval: .seconds(30))
        _ = resolution.wanted(now: start)
        resolution.ended(succeeded: false, now: start)

        let action = resolution.wanted(now: start)

        #expect(action == .wait(Resolution.pauseAfterFailure))
    }

    @Test func `leads to addresses that this machine knows`() throws {
        let found = try HostLookup.addresses(of: RPCAddress(host: "localhost", port: 7))

        #expect(found.contains { $0.isNumeric && $0.port == 7 })
    }

    @Test func `that nobody knows says so`() {
        let failure = #expect(throws: LookupFailure.self) {
            try HostLookup.addresses(of: RPCAddress(host: "nobody.invalid", port: 7))
        }

        #expect(failure?.reason.hasPrefix("the name nobody.invalid is not known") == true)
    }
}
