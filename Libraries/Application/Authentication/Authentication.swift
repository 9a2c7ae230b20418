internal import FoundationEssentials
package import RPC
package import Resilience
package import Tokens
internal import Redis

/// Lets a call through to its handler only if the method's policy says that its caller may make it.
///
/// The token is verified here whoever forwarded it, and the blocklist is asked on every call and never guessed:
/// while it cannot be reached, nobody is let in by a token.
package struct Authentication: ServerInterceptor {
    private let verifier: TokenVerifier
    private let blocklist: TokenBlocklist

    package init(verifier: TokenVerifier, blocklist: TokenBlocklist) {
        self.verifier = verifier
        self.blocklist = blocklist
    }

    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        switch context.method.policy.access {
        case .anyone:
            return try await next(context)
        case .service:
            try Self.admitService(context)
            return try await next(context)
        case .user, .operator_:
            break
        }
        let caller = try await identify(context.metadata)
        if context.method.policy.access == .operator_, caller.role != .operator_ {
            throw RPCError(.permissionDenied, "Only an operator may call \(context.method.name).")
        }
        var identified = context
        identified[CallerIdentity.self] = caller
        try await next(identified)
    }

    /// The domain of the URIs in the certificates of a cluster's programs, `spiffe://heartguard/users` and so on.
    static let trustDomain = "heartguard"

    /// A method for services takes no token: it is open to the programs that its policy names, by the certificate of
    /// their connection, and to nobody else whatever token they have.
    static func admitService(_ context: RPCContext) throws(RPCError) {
        guard let peer = context.peerIdentity, peer.trustDomain == trustDomain, let program = peer.program else {
            throw RPCError(
                .unauthenticated, "Only services may call \(context.method.name), and show their certificate for it.")
        }
        guard context.method.policy.callers.contains(program) else {
            throw RPCError(.permissionDenied, "\(program) is not among the services that may call \(context.method.name).")
        }
    }

    /// Who the token in the metadata belongs to.
    package func identify(_ metadata: Metadata) async throws(RPCError) -> CallerIdentity {
        guard let header = metadata["authorization"] else {
            throw RPCError(.unauthenticated, "Sign in and send the access token as \"authorization: Bearer …\".")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw RPCError(.unauthenticated, "The authorization header is not of the form \"Bearer …\".")
        }
        let claims: AccessClaims
        do throws(TokenError) {
            claims = try await verifier.verify(String(parts[1]))
        } catch {
            throw RPCError(.unauthenticated, error.message)
        }
        let isBlocked: Bool
        do throws(RedisError) {
            // The token itself, or the session that it belongs to with all its tokens.
            isBlocked = try await blocklist.isAnyBlocked([claims.tokenID, claims.sessionID.uuidString.lowercased()])
        } catch where error.code == .cancelled {
            throw RPCError(.cancelled, "The call was cancelled.", cause: error)
        } catch {
            throw .unavailable("Whether the session still stands cannot be checked right now.", cause: error)
        }
        guard !isBlocked else { throw RPCError(.unauthenticated, "The session has ended. Sign in again.") }
        return CallerIdentity(claims)
    }
}
