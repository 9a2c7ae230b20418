import Testing

@testable import Redis

@Suite struct `A server that does not answer` {
    private let start = ContinuousClock.now

    private func answers(of pause: inout FailurePause, at moments: Duration...) -> [Bool] {
        moments.map { pause.mayAsk(at: start.advanced(by: $0)) }
    }

    @Test func `is asked until it has failed several times in a row`() {
        var pause = FailurePause(after: 3, pause: .seconds(1))
        var answers: [Bool] = []

        pause.failed(at: start)
        pause.failed(at: start)
        answers.append(pause.mayAsk(at: start))
        pause.succeeded()
        pause.failed(at: start)
        pause.failed(at: start)
        answers.append(pause.mayAsk(at: start))
        pause.failed(at: start)
        answers.append(pause.mayAsk(at: start))

        #expect(answers == [true, true, false])
    }

    @Test func `is asked once a pause from then on, until it answers`() {
        var pause = FailurePause(after: 1, pause: .seconds(1))
        pause.failed(at: start)

        let whileSilent = answers(of: &pause, at: .milliseconds(999), .seconds(1), .seconds(1))
        pause.succeeded()
        let afterAnswer = answers(of: &pause, at: .seconds(1), .seconds(1))

        #expect(whileSilent == [false, true, false])
        #expect(afterAnswer == [true, true])
    }
}
