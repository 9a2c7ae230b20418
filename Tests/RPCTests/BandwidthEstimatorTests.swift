import Testing

@testable import RPC

@Suite struct `The window of a connection` {
    /// What the estimate comes to on a way that carries so many bytes in a round trip, for a sender that is given room
    /// back in this part of its window.
    private func window(carried: Int, part: Int = 1, from start: Int = 64 << 10, limit: Int = 16 << 20) -> Int {
        var estimator = BandwidthEstimator(window: start, limit: limit)
        var left = 0
        for _ in 0..<200 {
            let pieces = min(estimator.window / part, carried) >> 10
            for _ in 0..<pieces {
                // A ping comes back when as much has come as a round trip brings.
                if estimator.received(1 << 10) { left = pieces }
                left -= 1
                if left == 0 { _ = estimator.pingReturned() }
            }
        }
        return estimator.window
    }

    @Test(arguments: [1, 2])
    func `grows until the way is full, and not much further`(part: Int) {
        // 100 MB/s over 20 ms hold 2 MB.
        let window = window(carried: 2_000_000, part: part)

        #expect(window / part >= 2_000_000)
        #expect(window <= 10_000_000)
    }

    @Test func `stays as it is where it is wide enough`() {
        #expect(window(carried: 20_000) == 64 << 10)
    }

    @Test func `never exceeds its limit, however fast and far the peer is`() {
        #expect(window(carried: 2_000_000_000) == 16 << 20)
    }

    @Test func `is not measured for a connection with little to say`() {
        var estimator = BandwidthEstimator(window: 64 << 10, limit: 16 << 20)

        var measures = 0
        for _ in 0..<300 { if estimator.received(100) { measures += 1 } }

        #expect(measures == 0)
    }

    @Test func `is measured once at a time`() {
        var estimator = BandwidthEstimator(window: 64 << 10, limit: 16 << 20)

        var measures = 0
        for _ in 0..<300 { if estimator.received(16 << 10) { measures += 1 } }

        #expect(measures == 1)
    }

    @Test func `does not change for a ping that was never sent`() {
        var estimator = BandwidthEstimator(window: 64 << 10, limit: 16 << 20)

        #expect(estimator.pingReturned() == nil)
        #expect(estimator.window == 64 << 10)
    }
}
