internal import Testing

@testable internal import Vectors

@Suite struct `The tracker of positions` {
    @Test func `lets go at once who waits for what has been seen`() async {
        let tracker = PositionTracker()
        tracker.advance(to: 7)

        #expect(await tracker.arrival(at: 7))
        #expect(tracker.seen == 7)
    }

    @Test func `lets go those whose position has come, and only those`() async {
        let tracker = PositionTracker()
        let early = Task { await tracker.arrival(at: 3) }
        let late = Task { await tracker.arrival(at: 9) }
        await tracker.waitUntilWaiting(2)

        tracker.advance(to: 5)
        #expect(await early.value)
        #expect(tracker.waiterCount == 1)

        tracker.advance(to: 9)
        #expect(await late.value)
    }

    @Test func `lets go who is cancelled, with a no`() async {
        let tracker = PositionTracker()
        let waiting = Task { await tracker.arrival(at: 1) }
        await tracker.waitUntilWaiting(1)

        waiting.cancel()

        #expect(await !waiting.value)
        #expect(tracker.waiterCount == 0)
    }

    @Test func `lets everybody go when it has ended, and those who come later`() async {
        let tracker = PositionTracker()
        tracker.advance(to: 2)
        let waiting = Task { await tracker.arrival(at: 3) }
        await tracker.waitUntilWaiting(1)

        tracker.end()

        #expect(await !waiting.value)
        #expect(await !tracker.arrival(at: 4))
        #expect(await tracker.arrival(at: 2))
        #expect(tracker.waiterCount == 0)
    }

    @Test func `never goes back`() {
        let tracker = PositionTracker()
        tracker.advance(to: 7)

        tracker.advance(to: 4)

        #expect(tracker.seen == 7)
    }
}

extension PositionTracker {
    fileprivate func waitUntilWaiting(_ count: Int) async {
        while waiterCount < count { await Task.yield() }
    }
}
