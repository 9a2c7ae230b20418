import Application
import Contracts
import FoundationEssentials
import RPC
import Redis
import Resilience

/// Takes the cost of each call from its caller's budget: a signed-in caller's own, else that of the address it came from.
///
/// When Redis cannot be asked, the method's policy says whether the call is let through or turned away.
struct RateLimiting: ServerInterceptor {
    let signedIn: any RateLimiter
    let anonymous: any RateLimiter

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        if context.method.service.hasPrefix("grpc.") { return try await next(context) }
        let caller = context[CallerIdentity.self]
        let limiter = caller == nil ? anonymous : signedIn
        let key = caller.map { "user:\($0.userID.uuidString.lowercased())" } ?? "peer:\(Self.host(of: context.peer))"
        let admission: Admission
        do throws(RedisError) {
            admission = try await limiter.admit(key, cost: context.method.policy.cost)
        } catch {
            guard context.method.policy.onRedisLoss == .failOpen else {
                throw RPCError.unavailable("Calls cannot be counted right now.", cause: error)
            }
            return try await next(context)
        }
        switch admission {
        case .admitted(let remaining, let resetAfter):
            Self.tell(context, limit: limiter.limit.units, remaining: remaining, reset: resetAfter)
        case .refused(let retryAfter):
            Self.tell(context, limit: limiter.limit.units, remaining: 0, reset: retryAfter)
            let subject = caller == nil ? "address" : "user"
            throw RPCError.quota(subject, "Too many calls. Try again later.", retryAfter: retryAfter)
        }
        try await next(context)
    }

    /// The RateLimit header fields as most HTTP clients know them; seconds are rounded up.
    private static func tell(_ context: RPCContext, limit: Int, remaining: Int, reset: Duration) {
        context.responseMetadata.set("ratelimit-limit", String(limit))
        context.responseMetadata.set("ratelimit-remaining", String(remaining))
        context.responseMetadata.set("ratelimit-reset", String(Int((reset / .seconds(1)).rounded(.up))))
    }

    /// The address of a peer such as `ipv4:10.0.0.7:51022`, without its port.
    static func host(of peer: String) -> String {
        peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer
    }
}
