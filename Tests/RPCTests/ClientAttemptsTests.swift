import Testing

@testable import RPC

private func retry(_ maxAttempts: Int = 4, max: Duration = .milliseconds(300)) -> MethodConfig.Repetition {
    .retry(
        RetryPolicy(
            maxAttempts: maxAttempts, initialBackoff: .milliseconds(100), maxBackoff: max, backoffMultiplier: 2,
            retryableStatusCodes: [.unavailable]))
}

private func hedging(_ maxAttempts: Int = 3, delay: Duration = .milliseconds(500)) -> MethodConfig.Repetition {
    .hedging(HedgingPolicy(maxAttempts: maxAttempts, hedgingDelay: delay, nonFatalStatusCodes: [.unavailable]))
}

extension ClientAttempts {
    fileprivate mutating func failed(
        _ attempt: Int, _ code: StatusCode = .unavailable, _ pushback: Pushback = .none, chance: Double = 1, mayRepeat: Bool = true
    ) -> [Action] {
        ended(attempt, .failed(code, pushback), chance: chance, mayRepeat: mayRepeat)
    }
}

@Suite struct `A call under a retry policy` {
    @Test func `is made again after pauses that grow to a limit, until its attempts are used up`() {
        var attempts = ClientAttempts(retry())

        #expect(attempts.begin(mayRepeat: true) == [.start(0)])
        #expect(attempts.failed(0) == [.pause(.milliseconds(100))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(1)])
        #expect(attempts.failed(1) == [.pause(.milliseconds(200))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(2)])
        #expect(attempts.failed(2) == [.pause(.milliseconds(300))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(3)])
        #expect(attempts.failed(3) == [.commit(3)])
        #expect(attempts.isCommitted)
    }

    @Test func `pauses for its limit at most, whatever its config multiplies by`() {
        var attempts = ClientAttempts(
            .retry(
                RetryPolicy(
                    maxAttempts: 3, initialBackoff: .seconds(1), maxBackoff: .seconds(60), backoffMultiplier: 1e300,
                    retryableStatusCodes: [.unavailable])))
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0) == [.pause(.seconds(1))])
        _ = attempts.pauseEnded(mayRepeat: true)
        #expect(attempts.failed(1) == [.pause(.seconds(60))])
    }

    @Test func `chooses each pause by chance, from nothing up`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0, chance: 0) == [.pause(.zero)])
        _ = attempts.pauseEnded(mayRepeat: true)
        #expect(attempts.failed(1, chance: 0.5) == [.pause(.milliseconds(100))])
    }

    @Test func `is made five times at most, whatever its config says`() {
        var attempts = ClientAttempts(retry(100))
        var started = attempts.begin(mayRepeat: true)
        for attempt in 0..<4 {
            _ = attempts.failed(attempt)
            started += attempts.pauseEnded(mayRepeat: true)
        }

        #expect(started.count == 5)
        #expect(attempts.failed(4) == [.commit(4)])
    }

    @Test func `ends with a status that its config does not name`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0, .invalidArgument) == [.commit(0)])
    }

    @Test func `ends with success`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.ended(0, .ok, chance: 0, mayRepeat: true) == [.commit(0)])
    }

    @Test func `is not made again once the server has begun to answer`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.answerBegan(0) == [.commit(0)])
        #expect(attempts.failed(0) == [])
        #expect(attempts.pauseEnded(mayRepeat: true) == [])
    }

    @Test func `waits as long as the server says, and then with short pauses again`() {
        var attempts = ClientAttempts(retry(5))
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.failed(0)
        _ = attempts.pauseEnded(mayRepeat: true)

        #expect(attempts.failed(1, .unavailable, .after(.seconds(7))) == [.pause(.seconds(7))])
        _ = attempts.pauseEnded(mayRepeat: true)
        #expect(attempts.failed(2) == [.pause(.milliseconds(100))])
    }

    @Test func `is not made again when the server asks for that`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0, .unavailable, .never) == [.commit(0)])
    }

    @Test func `is not made again while too many calls fail`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0, mayRepeat: false) == [.commit(0)])
    }

    @Test func `is the attempt under way when its request grows too large to be kept`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.bufferOverflowed(furthest: 0) == [.commit(0)])
    }

    @Test func `whose request grows too large between attempts has one more`() {
        var attempts = ClientAttempts(retry())
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.failed(0)

        #expect(attempts.bufferOverflowed(furthest: nil) == [])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(1), .commit(1)])
    }

    @Test func `counts failures that could be retried, and requests to stop`() {
        let attempts = ClientAttempts(retry())

        #expect(attempts.countsAsFailure(.failed(.unavailable, .none)))
        #expect(attempts.countsAsFailure(.failed(.invalidArgument, .never)))
        #expect(!attempts.countsAsFailure(.failed(.invalidArgument, .none)))
        #expect(!attempts.countsAsFailure(.ok))
    }
}

@Suite struct `A call under a hedging policy` {
    @Test func `is sent once more after each delay without an answer`() {
        var attempts = ClientAttempts(hedging())

        #expect(attempts.begin(mayRepeat: true) == [.start(0), .pause(.milliseconds(500))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(1), .pause(.milliseconds(500))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(2)])
        #expect(attempts.pauseEnded(mayRepeat: true) == [])
    }

    @Test func `is sent as often as allowed at once when there is no delay`() {
        var attempts = ClientAttempts(hedging(delay: .zero))

        #expect(attempts.begin(mayRepeat: true) == [.start(0), .start(1), .start(2)])
    }

    @Test func `is the attempt that is answered first`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.pauseEnded(mayRepeat: true)

        #expect(attempts.answerBegan(1) == [.commit(1)])
        #expect(attempts.answerBegan(0) == [])
        #expect(attempts.pauseEnded(mayRepeat: true) == [])
    }

    @Test func `is sent once more at once when an attempt fails in passing`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0) == [.start(1), .pause(.milliseconds(500))])
    }

    @Test func `ends with any other failure`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.pauseEnded(mayRepeat: true)

        #expect(attempts.failed(0, .invalidArgument) == [.commit(0)])
    }

    @Test func `fails when all its attempts have failed`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0) == [.start(1), .pause(.milliseconds(500))])
        #expect(attempts.failed(1) == [.start(2)])
        #expect(attempts.failed(2) == [.commit(2)])
    }

    @Test func `waits for the attempts that are still under way`() {
        var attempts = ClientAttempts(hedging(delay: .zero))
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(1) == [])
        #expect(attempts.failed(2) == [])
        #expect(attempts.failed(0) == [.commit(0)])
    }

    @Test func `is sent no more when the server asks for that, and may still be answered`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.pauseEnded(mayRepeat: true)

        #expect(attempts.failed(0, .unavailable, .never) == [])
        #expect(attempts.pauseEnded(mayRepeat: true) == [])
        #expect(attempts.ended(1, .ok, chance: 0, mayRepeat: true) == [.commit(1)])
    }

    @Test func `is sent again when the server says, and then in the usual rhythm`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)

        #expect(attempts.failed(0, .unavailable, .after(.seconds(2))) == [.pause(.seconds(2))])
        #expect(attempts.pauseEnded(mayRepeat: true) == [.start(1), .pause(.milliseconds(500))])
    }

    @Test func `is sent once while too many calls fail`() {
        var attempts = ClientAttempts(hedging())

        #expect(attempts.begin(mayRepeat: false) == [.start(0), .pause(.milliseconds(500))])
        #expect(attempts.pauseEnded(mayRepeat: false) == [])
        #expect(attempts.failed(0, mayRepeat: false) == [.commit(0)])
    }

    @Test func `is the attempt that has sent the most when its request grows too large to be kept`() {
        var attempts = ClientAttempts(hedging())
        _ = attempts.begin(mayRepeat: true)
        _ = attempts.pauseEnded(mayRepeat: true)

        #expect(attempts.bufferOverflowed(furthest: 0) == [.commit(0)])
    }
}

@Suite struct `The allowance of retries` {
    @Test func `is used up at half of its tokens, and comes back with success`() {
        var throttle = RetryThrottle(.init(maxTokens: 10, tokenRatio: 0.5))

        for _ in 0..<4 { throttle.failed() }
        #expect(throttle.allowsRetries)
        throttle.failed()
        #expect(!throttle.allowsRetries)
        throttle.succeeded()
        #expect(throttle.allowsRetries)
    }

    @Test func `is never more than full and never less than empty`() {
        var throttle = RetryThrottle(.init(maxTokens: 1, tokenRatio: 0.001))

        throttle.succeeded()
        #expect(throttle.tokens == 1_000)
        for _ in 0..<3 { throttle.failed() }
        #expect(throttle.tokens == 0)
    }
}

@Suite struct `What a server says about trying again` {
    @Test(arguments: [
        ([], Pushback.none), (["0"], .after(.zero)), (["250"], .after(.milliseconds(250))), (["-1"], .never), (["soon"], .never),
        ([""], .never), (["01"], .never), (["2147483648"], .never), (["1", "2"], .never), ([" 5"], .never), (["+5"], .never),
    ])
    func `is a number of milliseconds, and anything else means never`(values: [String], meaning: Pushback) {
        var trailers = Metadata()
        for value in values { trailers.add("grpc-retry-pushback-ms", value: value) }

        #expect(Pushback(trailers) == meaning)
    }
}
