import Testing

@testable import RPC

@Suite struct `A client's pings` {
    private static let policy = PingStrikes.Policy(minInterval: .seconds(10), minIntervalWithoutCalls: .seconds(300))

    /// Which of the pings at these seconds is one too many.
    private func refused(_ seconds: [Int], hasCalls: Bool = true, framesSent: (Int) -> UInt64 = { _ in 0 }) -> Int? {
        var strikes = PingStrikes(Self.policy)
        for (index, second) in seconds.enumerated() {
            if strikes.pinged(at: .seconds(second), hasCalls: hasCalls, messageFramesSent: framesSent(index)) { return index }
        }
        return nil
    }

    @Test func `are welcome as often as the policy allows`() {
        #expect(refused([0, 10, 20, 30, 40, 50]) == nil)
        #expect(refused([0, 300, 600, 900, 1_200], hasCalls: false) == nil)
    }

    @Test func `are too many with the third that comes too soon`() {
        #expect(refused([0, 1, 2, 3, 4]) == 3)
        #expect(refused([0, 1, 11, 12, 22, 23]) == 5)
    }

    @Test func `may come less often without calls`() {
        #expect(refused([0, 10, 20, 30], hasCalls: false) == 3)
    }

    @Test func `are forgiven when the server has sent something`() {
        #expect(refused(Array(0..<100), framesSent: { UInt64($0 / 2) }) == nil)
        #expect(refused(Array(0..<100), framesSent: { UInt64($0 / 5) }) == 3)
    }
}
