internal import Contracts
internal import FoundationEssentials
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
///
/// A stream ends when its caller would not be let in any more: by the token's end, the session's or that of the grant.
package struct Authentication: ServerInterceptor {
    private let verifier: TokenVerifier
    private let sessions: SessionCheck
    private let patients: PatientAccess
    private let isPassedOn: @Sendable (MethodDescriptor) -> Bool
    private let audit: CallAudit
    var watch = StreamWatch()

    /// - Parameters:
    ///   - audit: is told of callers who are known and are not let.
    ///   - isPassedOn: whether a call of the method is answered by nobody but services that check the token themselves.
    package init(
        verifier: TokenVerifier, sessions: SessionCheck, patients: PatientAccess, audit: CallAudit,
        isPassedOn: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in false }
    ) {
        self.verifier = verifier
        self.sessions = sessions
        self.patients = patients
        self.audit = audit
        self.isPassedOn = isPassedOn
    }

    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        let patient = try PatientAccess.patient(context)
        switch context.method.policy.access {
        case .anyone:
            return try await next(context)
        case .service:
            do throws(RPCError) {
                try Self.admitService(context)
            } catch {
                if error.code == .permissionDenied { try await audit.denied(context, error) }
                throw error
            }
            return try await next(context)
        case .user, .operator_:
            break
        }
        let claims = try await claims(context)
        var identified = context
        identified[CallerIdentity.self] = CallerIdentity(claims)
        do throws(RPCError) {
            if try await !isKnownToStand(claims, context.method) {
                identified[CallerIdentity.self] = CallerIdentity(claims, isSessionChecked: false)
            }
        } catch {
            if error.code == .unauthenticated { try await audit.denied(identified, error) }
            throw error
        }
        if context.method.policy.access == .operator_, claims.role != .operator_ {
            try await refuse(identified, RPCError(.permissionDenied, "Only an operator may call \(context.method.name)."))
        }
        if let patient {
            let caller = try identified.caller()
            // A clinician's try is among what the patient can read of, whatever comes of it.
            if caller.role == .clinician { identified[CallerIdentity.self] = caller.acting(for: patient) }
            do throws(RPCError) {
                try await patients.admit(caller, for: patient, to: context.method)
            } catch {
                if error.code == .permissionDenied { try await audit.denied(identified, error) }
                throw error
            }
        }
        guard context.method.kind != .unary else { return try await next(identified) }
        try await watch.go(
            identified, admit: { () async throws(RPCError) in try await admitAgain(context, for: patient) }, next: next)
    }

    /// Throws what a call would end with that the same caller began now.
    ///
    /// It leaves no event behind: what the stream did is on record since it began.
    private func admitAgain(_ context: RPCContext, for patient: UUID?) async throws(RPCError) {
        let claims = try await claims(context)
        _ = try await isKnownToStand(claims, context.method)
        if let patient { try await patients.admit(CallerIdentity(claims), for: patient, to: context.method) }
    }

    /// Whether the session is known to stand. Where it is not, whoever the call is passed on to asks.
    ///
    /// Throws UNAUTHENTICATED for a session that has ended, by which a log-out that is made again hears that it is done, UNAVAILABLE where that cannot be asked and has to be.
    private func isKnownToStand(_ claims: AccessClaims, _ method: MethodDescriptor) async throws(RPCError) -> Bool {
        switch try await sessions.standing(of: claims) {
        case .standing: return true
        case .revoked:
            throw RPCError(.unauthenticated, "The session has ended. Sign in again.")
                .adding(GoogleRPC.ErrorInfo(reason: "SESSION_ENDED", domain: "heartguard"))
        case .unknown where isPassedOn(method): return false
        case .unknown: throw .unavailable("Whether the session still stands cannot be checked right now.")
        }
    }

    /// A method for services takes no token: it is open to the programs that its policy names, by the certificate of
    /// their connection, and to nobody else whatever token they have.
    static func admitService(_ context: RPCContext) throws(RPCError) {
        guard let program = context.peerIdentity?.clusterProgram else {
            throw RPCError(
                .unauthenticated, "Only services may call \(context.method.name), and show their certificate for it.")
        }
        guard context.method.policy.callers.contains(program) else {
            throw RPCError(.permissionDenied, "\(program) is not among the services that may call \(context.method.name).")
        }
    }

    /// Turns somebody away who is known, and has that put on record.
    private func refuse(_ context: RPCContext, _ error: RPCError) async throws(RPCError) {
        try await audit.denied(context, error)
        throw error
    }

    /// What the token in the metadata says.
    private func claims(_ context: RPCContext) async throws(RPCError) -> AccessClaims {
        guard let header = context.metadata["authorization"] else {
            throw RPCError(.unauthenticated, "Sign in and send the access token as \"authorization: Bearer …\".")
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw RPCError(.unauthenticated, "The authorization header is not of the form \"Bearer …\".")
        }
        do throws(TokenError) {
            return try await verifier.verify(String(parts[1]))
        } catch {
            throw RPCError(.unauthenticated, error.message)
        }
    }
}
