import Testing

@testable import RPC

@Suite struct `An answer on its way` {
    @Test func `begins with headers once and ends with trailers once`() {
        var stream = ServerStream()

        let sending = stream.send()
        #expect(sending == .headersFirst)
        let sending2 = stream.send()
        #expect(sending2 == .messageAlone)
        let ending = stream.end()
        #expect(ending == .trailers)
        let sending3 = stream.send()
        #expect(sending3 == .nothing)
        let ending2 = stream.end()
        #expect(ending2 == .nothing)
    }

    @Test func `that has no message is only trailers`() {
        var stream = ServerStream()

        let ending = stream.end()
        #expect(ending == .trailersOnly)
        #expect(stream.isEnded)
    }

    @Test func `whose headers could not be written may still be only trailers`() {
        var stream = ServerStream()

        _ = stream.send()
        stream.unsend()

        let ending = stream.end()
        #expect(ending == .trailersOnly)
    }

    @Test func `says nothing more once its stream is gone`() {
        var stream = ServerStream()

        stream.abandon()

        let sending = stream.send()
        #expect(sending == .nothing)
        let ending = stream.end()
        #expect(ending == .nothing)
    }
}

@Suite struct `A call that the server refused to begin` {
    @Test func `is sent again as often as is allowed`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        for _ in 0..<2 {
            stream.sent()
            let isSentAgain = stream.refused()
            #expect(isSentAgain)
        }
        stream.sent()
        let isSentAgain2 = stream.refused()
        #expect(!isSentAgain2)
    }

    @Test func `is not sent again once the server has begun to answer`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        stream.sent()
        stream.begun()

        let isSentAgain = stream.refused()
        #expect(!isSentAgain)
    }

    @Test func `is not sent again when a part of it was not kept`() {
        var stream = ClientStream(maxTransparentRetries: 2)

        stream.sent()
        stream.canBeRepeated = false

        let isSentAgain = stream.refused()
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

@Suite struct `A channel's way to its server` {
    private func make() -> Connectivity {
        Connectivity(backoff: Backoff(initial: .seconds(1), limit: .seconds(3), multiplier: 2))
    }

    @Test func `is sought when the first call comes`() {
        var way = make()

        let action = way.callArrived(waitForReady: false)
        #expect(action == .connectAndWait)
        let action2 = way.callArrived(waitForReady: false)
        #expect(action2 == .wait)
        let isWanted = way.connected()
        #expect(isWanted)
        let action3 = way.callArrived(waitForReady: false)
        #expect(action3 == .start)
    }

    @Test func `fails calls after a failed attempt, but not those that would wait`() {
        var way = make()
        _ = way.callArrived(waitForReady: false)

        let pause = way.attemptFailed("refused", chance: 0.5)
        #expect(pause == .seconds(1))
        let action = way.callArrived(waitForReady: false)
        #expect(action == .fail(reason: "refused"))
        let action2 = way.callArrived(waitForReady: true)
        #expect(action2 == .wait)
        let connects = way.pauseEnded(callsAreWaiting: true)
        #expect(connects)
        let pause2 = way.attemptFailed("refused", chance: 0.5)
        #expect(pause2 == .seconds(2))
        let connects2 = way.pauseEnded(callsAreWaiting: false)
        #expect(!connects2)
        let action3 = way.callArrived(waitForReady: false)
        #expect(action3 == .connectAndWait)
    }

    @Test func `is sought anew when the connection was lost`() {
        var way = make()
        _ = way.callArrived(waitForReady: false)
        _ = way.connected()

        way.lost()

        let action = way.callArrived(waitForReady: false)
        #expect(action == .connectAndWait)
    }

    @Test func `is closed for good`() {
        var way = make()
        _ = way.callArrived(waitForReady: false)

        way.close()

        let isWanted = way.connected()
        #expect(!isWanted)
        let pause = way.attemptFailed("late", chance: 0)
        #expect(pause == nil)
        let action = way.callArrived(waitForReady: true)
        #expect(action == .fail(reason: "The channel is closed."))
    }

    @Test func `pauses longer after each failure, within a fifth, up to the limit, and shortly again after success`() {
        var backoff = Backoff(initial: .seconds(1), limit: .seconds(3), multiplier: 2)

        let growing = [0, 1, 0.5, 0.5].map { backoff.next(chance: $0) }
        backoff.reset()
        let again = backoff.next(chance: 0.5)

        #expect(growing.map { ($0 / .milliseconds(1)).rounded() } == [800, 2_400, 3_000, 3_000])
        #expect(again == .seconds(1))
    }
}
