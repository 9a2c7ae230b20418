import Application
import Contracts
import FoundationEssentials
import RPC
import Resilience

/// Takes the cost of each call from its caller's budget: a signed-in caller's own, whoever's records are meant, else that of the address it came from.
///
/// When Redis cannot be asked, a call lives on this replica's share or is turned away, as the method's policy says.
struct RateLimiting: ServerInterceptor {
    let signedIn: LeasedLimiter
    let anonymous: LeasedLimiter

    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        if context.method.service.hasPrefix("grpc.") { return try await next(context) }
        let caller = context[CallerIdentity.self]
        let limiter = caller == nil ? anonymous : signedIn
        let key = caller.map { Self.key(of: $0.actorID) } ?? Self.host(of: context.peer)
        let policy = context.method.policy
        let admission: Admission
        do throws(LeasedLimiter.NotCounted) {
            admission = try await limiter.admit(
                key, cost: policy.cost, onLoss: policy.onRedisLoss == .failOpen ? .liveOnShare : .refuse
            ).admission
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw RPCError.unavailable("Calls cannot be counted right now.", cause: error.cause)
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

    /// A person's id in the 22 characters that its 16 bytes need: it stands in Redis' memory for each of a million callers.
    static func key(of user: UUID) -> String {
        let id = user.uuid
        let bytes: [UInt8] = [
            id.0, id.1, id.2, id.3, id.4, id.5, id.6, id.7, id.8, id.9, id.10, id.11, id.12, id.13, id.14, id.15,
        ]
        return String(Data(bytes).base64EncodedString().prefix(22))
    }

    /// The RateLimit header fields as most HTTP clients know them; seconds are rounded up.
    private static func tell(_ context: RPCContext, limit: Int, remaining: Int, reset: Duration) {
        context.responseMetadata.set("ratelimit-limit", String(limit))
        context.responseMetadata.set("ratelimit-remaining", String(remaining))
        context.responseMetadata.set("ratelimit-reset", String(Int((reset / .seconds(1)).rounded(.up))))
    }

    /// The address of a peer such as `ipv4:10.0.0.7:51022`, without its port. Of IPv6 it is the network of 64 bits: whoever has one
    /// address there has all of them, and would have a budget for each.
    static func host(of peer: String) -> String {
        // gRPC writes an address of IPv6 in brackets, and one caller is one whichever way it is written.
        let host = (peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer).filter { $0 != "[" && $0 != "]" }
        // An address of IPv4 that is written as one of IPv6 stays whole.
        guard host.hasPrefix("ipv6:"), !host.contains(".") else { return host }
        let halves = host.dropFirst(5).prefix { $0 != "%" }.split(separator: "::", omittingEmptySubsequences: false)
        let (left, right) = (halves.first?.split(separator: ":") ?? [], halves.dropFirst().first?.split(separator: ":") ?? [])
        let zeros = Array(repeating: Substring("0"), count: max(0, 8 - left.count - right.count))
        let groups = left + zeros + right
        return groups.count == 8 ? "ipv6:" + groups.prefix(4).joined(separator: ":") : host
    }
}
