package import FoundationEssentials
package import Postgres
internal import Tokens

/// The record of revoked tokens, which Users writes and every service may read.
struct RevocationRecord: Sendable {
    let postgres: Postgres

    func isRevoked(_ claims: AccessClaims) async throws(PostgresError) -> Bool {
        try await postgres.first(.isRevoked(session: claims.sessionID, of: claims.subject))?.value ?? false
    }
}

extension Statement<Scalar<Bool>> {
    /// Whether the record has a session, or its account up to a session that is no older. For a minute behind its tokens' end too: verifiers accept
    /// them for half of one, and `TokenBlocklist` keeps what it was told for as long.
    package static func isRevoked(session: UUID, of account: UUID) -> Self {
        .reading(
            """
            SELECT EXISTS (
                SELECT FROM heartguard.revocations
                WHERE expires_at > clock_timestamp() - interval '1 minute' AND (id = \(session) OR id = \(account) AND up_to >= \(session))
            )
            """)
    }
}
