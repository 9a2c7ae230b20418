import Redis
import Resilience
import Telemetry

/// How much callers may ask for, and what became of their asking.
struct CallLimits: Sendable {
    let shares: LimiterShares
    private let signedIn: LeasedLimiter
    private let anonymous: LeasedLimiter

    init(_ configuration: GatewayConfiguration, redis: Redis) {
        let shares = LimiterShares(redis: redis, group: "gateway", configuration: configuration.shares)
        func limiter(_ name: String, _ short: String, _ limit: RateLimit) -> LeasedLimiter {
            let counter: any RateLimiter =
                switch configuration.limits.algorithm {
                case .gcra: GCRALimiter(redis: redis, limit: limit, name: short)
                case .window: SlidingWindowLimiter(redis: redis, limit: limit, name: short)
                }
            return LeasedLimiter(name, counter, shares: shares)
        }
        self.shares = shares
        // The short names stand in front of every key.
        signedIn = limiter("user", "u", configuration.limits.signedIn)
        anonymous = limiter("address", "a", configuration.limits.anonymous)
    }

    var interceptor: RateLimiting { RateLimiting(signedIn: signedIn, anonymous: anonymous) }

    func write(to text: inout PrometheusText) {
        let decisions = "heartguard_limiter_decisions_total"
        text.family(
            decisions, .counter,
            help: "Calls by what was decided and who counted: redis for all Gateways, share this one alone, nobody when a call had to be counted.")
        for limiter in [signedIn, anonymous] {
            let counts = limiter.counts
            for (counted, outcome, count) in [
                ("redis", "admitted", counts.admittedTogether), ("redis", "refused", counts.refusedTogether),
                ("share", "admitted", counts.admittedOnShare), ("share", "refused", counts.refusedOnShare),
                ("nobody", "refused", counts.notCounted),
            ] {
                text.sample(decisions, [("limiter", limiter.name), ("counted", counted), ("outcome", outcome)], UInt64(count))
            }
        }
        let unanswered = "heartguard_limiter_unanswered_total"
        text.family(unanswered, .counter, help: "Calls that asked Redis and were not answered in time.")
        for limiter in [signedIn, anonymous] {
            text.sample(unanswered, [("limiter", limiter.name)], UInt64(limiter.counts.unanswered))
        }
        text.family("heartguard_limiter_counts_together", .gauge, help: "Whether Redis counts for all Gateways.")
        text.sample("heartguard_limiter_counts_together", [], UInt64(shares.isCountedTogether ? 1 : 0))
        text.family("heartguard_limiter_gateways", .gauge, help: "Gateways that share each limit, as last heard.")
        text.sample("heartguard_limiter_gateways", [], UInt64(shares.replicas))
    }
}
