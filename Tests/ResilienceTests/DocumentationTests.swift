import Redis
import Resilience
import Testing
import Time

/// The second half of the code of docs/libraries/Redis.md.
@Suite struct `The page about Redis, where it shows Resilience` {
    @Test func `shows code that does what it says`() async throws {
        try await withRedis(.durable) { durable, _ in
            let limiter = SlidingWindowLimiter(redis: durable, limit: RateLimit(units: 100, window: .seconds(60)), name: "all")
            switch try await limiter.admit("user:7", cost: 5) {
            case .admitted(let remaining, let resetAfter):
                #expect(remaining == 95)
                #expect(resetAfter <= .seconds(60))
            case .refused(let retryAfter):
                Issue.record("refused for \(retryAfter)")
            }

            let blocklist = TokenBlocklist(redis: durable)
            try await blocklist.block("token-1", until: .now() + .seconds(900))
            let isBlocked = try await blocklist.isAnyBlocked(["token-1", "session-1"])

            #expect(isBlocked)
        }
    }
}
