package import RPC
package import Tokens
internal import Resilience

/// Lets a call through to its handler only if the method's policy says that its caller may make it.
///
/// The token is verified here whoever forwarded it, and whether its session still stands is asked on every call and never
/// guessed. A program without a record of its own may leave that question, while the blocklist does not answer, to the service
/// that it passes the call and its token on to.
///
/// A clinician may call for a patient who has let them in; what the handler sees then are that patient's records, and who acts.
package struct Authentication: ServerInterceptor {
    private let verifier: TokenVerifier
    private let sessions: SessionCheck
    private let patients: PatientAccess
    private let isPassedOn: @Sendable (MethodDescriptor) -> Bool

    /// - Parameter isPassedOn: whether a call of the method is answered by nobody but services that check the token themselves.
    package init(
        verifier: TokenVerifier, sessions: SessionCheck, patients: PatientAccess,
        isPassedOn: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in false }
    ) {
        self.verifier = verifier
        self.sessions = sessions
        self.patients = patients
        self.isPassedOn = isPassedOn
    }

    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        let patient = try PatientAccess.patient(context)
        switch context.method.policy.access {
        case .anyone:
            return try await next(context)
        case .service:
            try Self.admitService(context)
            return try await next(context)
        case .user, .operator_:
            break
        }
        let caller = try await identify(context)
        if context.method.policy.access == .operator_, caller.role != .operator_ {
            throw RPCError(.permissionDenied, "Only an operator may call \(context.method.name).")
        }
        var identified = context
        guard let patient else {
            identified[CallerIdentity.self] = caller
            return try await next(identified)
        }
        try await patients.admit(caller, for: patient, to: context.method)
        identified[CallerIdentity.self] = caller.acting(for: patient)
        try await patients.go(on: caller, for: patient, identified, next: next)
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
    private func identify(_ context: RPCContext) async throws(RPCError) -> CallerIdentity {
        guard let header = context.metadata["authorization"] else {
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
        switch try await sessions.standing(of: claims) {
        case .standing: return CallerIdentity(claims)
        case .revoked: throw RPCError(.unauthenticated, "The session has ended. Sign in again.")
        case .unknown where isPassedOn(context.method): return CallerIdentity(claims, isSessionChecked: false)
        case .unknown: throw .unavailable("Whether the session still stands cannot be checked right now.")
        }
    }
}
