import Testing

@testable import Resilience

@Suite struct `A replica's own judgement of a dependency` {
    /// Drives a state through time, in milliseconds.
    private struct Story {
        var state: BreakerState
        var now: Duration = .seconds(100)

        init(_ configuration: BreakerConfiguration = .init()) { state = BreakerState(configuration) }

        mutating func wait(_ milliseconds: Int) { now += .milliseconds(milliseconds) }

        /// Calls, one every so many milliseconds; how many were let through.
        @discardableResult
        mutating func calls(_ count: Int, every milliseconds: Int = 0, _ outcome: CallOutcome, took: Duration = .milliseconds(5)) -> Int {
            var passed = 0
            for _ in 0..<count {
                wait(milliseconds)
                guard case .pass(let ticket) = state.admit(at: now) else { continue }
                passed += 1
                state.ended(ticket, outcome, took: took, at: now)
            }
            return passed
        }

        mutating func allowAll() { state.allow(state.wantedProbes(at: now), at: now) }

        mutating func open() {
            calls(40, every: 20, .failed)
            precondition(state.isFailing)
        }
    }

    @Test func `stays good while calls succeed, and few fail`() {
        var story = Story()
        for _ in 0..<100 {
            story.calls(6, every: 10, .succeeded)
            story.calls(4, every: 10, .failed)
        }

        #expect(story.state.phase == .closed)
    }

    @Test func `turns within half a second when all calls fail, whatever was before`() {
        var story = Story()
        story.calls(2_000, every: 5, .succeeded)
        let before = story.now

        while !story.state.isFailing { story.calls(1, every: 5, .failed) }

        #expect(story.now - before <= .milliseconds(500))
    }

    @Test func `needs a number of calls`() {
        var story = Story()
        story.calls(19, every: 400, .failed)
        #expect(story.state.phase == .closed)

        story.calls(1, every: 400, .failed)
        #expect(story.state.isFailing)
    }

    @Test func `forgets what is older than its window`() {
        var story = Story()
        story.calls(19, every: 100, .failed)
        story.wait(10_000)
        story.calls(19, every: 100, .failed)

        #expect(story.state.phase == .closed)
    }

    @Test func `does not turn for calls that all fail at one moment, as those of a killed process do`() {
        var story = Story()
        story.calls(5, every: 10, .succeeded)
        story.calls(500, .failed)
        #expect(story.state.phase == .closed)

        // The process is back, and those that waited for it are answered.
        story.wait(2_000)
        story.calls(20, every: 10, .succeeded)
        story.calls(1, every: 10, .failed)

        #expect(story.state.phase == .closed)
    }

    @Test func `takes no notice of callers that went away`() {
        var story = Story()
        story.calls(1_000, every: 10, .neutral)

        #expect(story.state.phase == .closed)
        #expect(!story.state.sawSuccess(at: story.now))
    }

    @Test func `holds a success against the others, and one from before the outage for less than a second after they have found out`() {
        var (busy, quiet) = (Story(), Story())
        quiet.calls(1, .succeeded)

        while !busy.state.isFailing { busy.calls(1, every: 5, .failed) }

        #expect(quiet.state.sawSuccess(at: busy.now))
        #expect(!quiet.state.sawSuccess(at: busy.now + .seconds(1)))
    }

    @Test func `turns when nearly all calls are slow`() {
        var story = Story()
        story.calls(30, every: 100, .succeeded, took: .seconds(6))

        #expect(story.state.isFailing)
    }

    @Test func `refuses while it is open, and says for how long`() {
        var story = Story()
        story.open()
        guard case .refuse(let retryAfter) = story.state.admit(at: story.now) else {
            Issue.record("a call was let through")
            return
        }

        #expect(retryAfter > .seconds(4))
        #expect(retryAfter <= .seconds(5))
        #expect(story.state.wantedProbes(at: story.now) == 0)
    }

    @Test func `tries with the calls that it was allowed, and closes when all have succeeded`() {
        var story = Story()
        story.open()
        story.wait(5_000)

        #expect(story.calls(10, .succeeded) == 0)
        #expect(story.state.wantedProbes(at: story.now) == 3)
        story.state.allow(1, at: story.now)
        #expect(story.calls(10, .succeeded) == 1)
        #expect(story.state.phase == .halfOpen)
        #expect(story.state.wantedProbes(at: story.now) == 2)
        story.state.allow(100, at: story.now)
        #expect(story.calls(10, .succeeded) == 10)
        #expect(story.state.phase == .closed)
    }

    @Test func `opens again when a try fails, and begins to judge anew when it closes`() {
        var story = Story()
        story.open()
        story.wait(5_000)
        story.allowAll()
        story.calls(1, .failed)
        #expect(story.state.openings == 2)
        #expect(story.calls(10, .succeeded) == 0)

        story.wait(5_000)
        story.allowAll()
        story.calls(3, .succeeded)
        story.calls(10, every: 10, .failed)
        #expect(story.state.phase == .closed)
    }

    @Test func `gives a try back that said nothing`() {
        var story = Story()
        story.open()
        story.wait(5_000)
        story.allowAll()
        story.calls(3, .neutral)

        #expect(story.state.wantedProbes(at: story.now) == 3)
    }

    @Test func `learns nothing from calls that began before it opened`() {
        var story = Story()
        guard case .pass(let early) = story.state.admit(at: story.now) else { return }
        story.open()
        story.wait(5_000)
        story.allowAll()

        story.state.ended(early, .succeeded, took: .seconds(1), at: story.now)
        story.state.ended(early, .failed, took: .seconds(1), at: story.now)

        #expect(story.state.wantedProbes(at: story.now) == 0)
        #expect(story.state.openings == 1)
    }
}
