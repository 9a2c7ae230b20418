internal import Testing
internal import Time

@testable internal import Vectors

@Suite struct `A snapshot is due` {
    private static let start = ContinuousClock.now
    private static let policy = SnapshotPolicy(changes: 100, interval: .seconds(600))

    private func isDue(_ changes: Int, of count: Int, after seconds: Int = 0, isBuilding: Bool = false, failed: Bool = false) -> Bool {
        var state = SnapshotState()
        state.note(changes: changes, now: Self.start)
        if failed { state.fail(state.begin(), "full", retryAt: Self.start + Self.policy.retry) }
        return Self.policy.isDue(state, count: count, isBuilding: isBuilding, now: Self.start + .seconds(seconds))
    }

    @Test func `after so many changes, or a tenth of what is there`() {
        #expect(!isDue(99, of: 100))
        #expect(isDue(100, of: 100))
        #expect(!isDue(999, of: 10_000))
        #expect(isDue(1_000, of: 10_000))
    }

    @Test func `some time after the first change, and never without one`() {
        #expect(!isDue(1, of: 10_000, after: 599))
        #expect(isDue(1, of: 10_000, after: 600))
        #expect(!isDue(0, of: 10_000, after: 100_000))
    }

    @Test func `while an index is built, when it has doubled`() {
        #expect(!isDue(4_999, of: 10_000, after: 100_000, isBuilding: true))
        #expect(isDue(5_000, of: 10_000, isBuilding: true))
    }

    @Test func `again some time after it could not be written`() {
        #expect(!isDue(5_000, of: 10, after: 59, failed: true))
        #expect(isDue(5_000, of: 10, after: 60, failed: true))
    }

    @Test func `and what is on the disk goes after twice its time, if nothing took its place`() {
        var state = SnapshotState()
        state.succeed(.init(position: 1, byteCount: 1, writtenAt: .now()))
        #expect(!Self.policy.mustGo(state, now: Self.start + .seconds(100_000)))
        state.note(changes: 1, now: Self.start)
        state.note(changes: 1, now: Self.start + .seconds(1_000))
        state.fail(state.begin(), "full", retryAt: Self.start)

        #expect(!Self.policy.mustGo(state, now: Self.start + .seconds(1_199)))
        #expect(Self.policy.mustGo(state, now: Self.start + .seconds(1_200)))
    }
}
