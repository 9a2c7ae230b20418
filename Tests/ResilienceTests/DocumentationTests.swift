import Redis
import Resilience
import Testing
import Time

/// The second half of the code of docs/libraries/Redis.md.
@Suite struct `The page about Redis, where it shows Resilience` {
    @Test func `shows code that does what it says`() async throws {
        try await withRedis(.durable) { durable, _ in
            let limiter = SlidingWindowLimiter(redis: durable, window: .seconds(60), limit: 100)
            switch try await limiter.admit("user:7", cost: 5) {
            case .admitted(let remaining, let resetAfter):
                #expect(remaining == 95)
                #expect(resetAfter <= .seconds(60))
            case .refused(let retryAfter):
                Issue.record("refused for \(retryAfter)")
            }

            let blocklist = TokenBlocklist(redis: durable)
            #expect(try await blocklist.declareComplete(since: blocklist.run()))
            let (session, account) = (UUIDv7.make(), UUIDv7.make())
            try await blocklist.add([.session(session, expiresAt: .now() + .seconds(900))])
            let standing = try await blocklist.standing(session: session, of: account)

            #expect(standing == .revoked)
        }
    }
}
