package import FoundationEssentials
package import Postgres
package import RPC
package import Time
package import Tokens

/// Who calls, as the access token proved it, and whose records are meant.
package struct CallerIdentity: Sendable, Equatable {
    /// Whose records are meant: the caller's own, or those of the patient for whom a clinician calls.
    package private(set) var userID: UUID
    /// Who calls: the account of the token. Sessions, limits and blame are this account's.
    package let actorID: UUID
    package let role: AccessClaims.Role
    package let tokenID: String
    package let sessionID: UUID
    package let tokenExpiresAt: Instant
    /// Whether the session is known to stand. Where it is not, nothing of the person's may be answered from here.
    package let isSessionChecked: Bool

    package init(_ claims: AccessClaims, isSessionChecked: Bool = true) {
        userID = claims.subject
        actorID = claims.subject
        role = claims.role
        tokenID = claims.tokenID
        sessionID = claims.sessionID
        tokenExpiresAt = claims.expiresAt
        self.isSessionChecked = isSessionChecked
    }

    /// The same caller, for the records of a patient who has let them in.
    package func acting(for patient: UUID) -> CallerIdentity {
        var identity = self
        identity.userID = patient
        return identity
    }

    /// Whether the records are those of somebody else, who has let the caller in.
    package var actsForPatient: Bool { actorID != userID }
}

extension CallerIdentity: RPCContextKey {
    package typealias Value = CallerIdentity
}

extension RPCContext {
    /// The signed-in caller. Throws UNAUTHENTICATED where the method's policy let anyone in.
    package func caller() throws(RPCError) -> CallerIdentity {
        guard let caller = self[CallerIdentity.self] else {
            throw RPCError(.unauthenticated, "Sign in and send the access token as \"authorization: Bearer …\".")
        }
        return caller
    }
}

extension Identity {
    /// The rows of one person.
    package static func user(_ id: UUID) -> Identity {
        Identity([("heartguard.user_id", id.text)])
    }

    /// The one row that signing in needs, before anybody is known.
    package static func login(email: String) -> Identity {
        Identity([("heartguard.login_email", email)])
    }
}
