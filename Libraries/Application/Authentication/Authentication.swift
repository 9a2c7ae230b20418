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
        guard context.method.policy.access != .anyone else { return try await next(context) }
        let caller = try await identify(context.metadata)
        switch context.method.policy.access {
        case .anyone, .user:
            break
        case .operator_:
            guard caller.role == .operator_ else {
                throw RPCError(.permissionDenied, "Only an operator may call \(context.method.name).")
            }
        case .service:
            throw RPCError(.permissionDenied, "Only another service may call \(context.method.name).")
        }
        var identified = context
        identified[CallerIdentity.self] = caller
        try await next(identified)
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
