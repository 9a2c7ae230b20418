internal import FoundationEssentials
internal import Postgres
internal import Resilience

/// The record of revoked access tokens, as it is read to fill the blocklist. Sessions write it where they end.
struct RevocationRepository: Sendable {
    let postgres: Postgres

    /// Those that still matter, ordered by their ids: for as long as `isRevoked` says so.
    func current(after id: UUID, limit: Int) async throws(PostgresError) -> [Revocation] {
        try await postgres.rows(.current(after: id, limit: limit)).map(\.revocation)
    }

    /// Forgets what nobody asks for any more. Returns how much it was.
    @discardableResult
    func forgetExpired() async throws(PostgresError) -> Int {
        try await postgres.execute(.forgetExpiredRevocations)
    }

    struct StoredRevocation: RowDecodable {
        let revocation: Revocation

        init(row: Row) throws(PostgresError) {
            revocation = Revocation(
                id: try row.decode("id"), upTo: try row.decode("up_to"), expiresAt: try row.decode("expires_at"))
        }
    }
}

extension Statement<RevocationRepository.StoredRevocation> {
    static func current(after id: UUID, limit: Int) -> Self {
        .reading(
            """
            SELECT id, up_to, expires_at FROM heartguard.revocations
            WHERE expires_at > clock_timestamp() - interval '1 minute' AND id > \(id) ORDER BY id LIMIT \(limit)
            """, tier: .normal)
    }
}

extension Statement<Void> {
    /// An hour after they have expired, which no clock of ours is wrong by.
    static var forgetExpiredRevocations: Self {
        .writing("DELETE FROM heartguard.revocations WHERE expires_at < clock_timestamp() - interval '1 hour'", tier: .normal)
    }
}
