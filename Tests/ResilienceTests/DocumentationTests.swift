import Redis
import Resilience
import Testing
import Time

/// The second half of the code of docs/libraries/Redis.md.
@Suite struct `The page about Redis, where it shows Resilience` {
    @Test func `shows code that does what it says`() async throws {
        try await withRedis(.durable) { durable, _ in
            let blocklist = TokenBlocklist(redis: durable)
            #expect(try await blocklist.declareComplete(since: blocklist.run()))
            let (session, account) = (UUIDv7.make(), UUIDv7.make())
            try await blocklist.revoke([.session(session, expiresAt: .now() + .seconds(900))])
            #expect(!blocklist.knows(session, of: account))
            let standing = try await blocklist.standing(session: session, of: account)

            #expect(standing == .revoked)
        }
    }
}

/// The code of docs/libraries/Resilience.md.
@Suite struct `The page about Resilience` {
    @Test func `shows code that does what it says`() async throws {
        try await withRedis(.cache) { cache, _ in
            try await withRedis(.durable) { durable, _ in
                let limit = RateLimit(units: 100, window: .seconds(3_600))
                let limiter = GCRALimiter(redis: cache, limit: limit, name: "calls")
                switch try await limiter.admit("ada", cost: 5) {
                case .admitted(let remaining, let resetAfter):
                    #expect(remaining == 95)
                    #expect(resetAfter <= .seconds(36))
                case .refused(let retryAfter):
                    Issue.record("refused for \(retryAfter)")
                }

                var patient = ShareConfiguration()
                patient.patience = .seconds(60)
                let shares = LimiterShares(redis: cache, group: "gateway", configuration: patient)
                let calls = LeasedLimiter("calls", limiter, shares: shares)
                let decision = try await calls.admit("ada", cost: 5, onLoss: .liveOnShare)
                #expect(decision.isCountedTogether)

                let breakers = CircuitBreakers(["vitals"], redis: durable, group: "gateway")
                let bulkhead = Bulkhead(limit: 512, maxWaiting: 512, maxWait: .seconds(1))
                let permit = try breakers["vitals"].admit()
                try await bulkhead.enter()
                #expect(bulkhead.report.inUse == 1)
                bulkhead.leave()
                breakers["vitals"].ended(permit, .succeeded)
            }
        }
    }
}
