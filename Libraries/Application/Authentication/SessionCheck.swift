package import Postgres
package import RPC
internal import Redis
package import Resilience
package import Tokens

/// Whether the session of a token still stands: the blocklist says, and the record in Postgres where that cannot.
///
/// Of a session that was asked for a moment ago neither is asked. While Redis does not answer, it is asked once a second and the record at every call.
package final class SessionCheck: Sendable {
    private let blocklist: TokenBlocklist
    private let record: RevocationRecord?
    /// A healthy Redis answers a hundred times faster.
    private let patience = RedisPatience(.milliseconds(250))

    package init(blocklist: TokenBlocklist, postgres: Postgres?) {
        self.blocklist = blocklist
        record = postgres.map(RevocationRecord.init)
    }

    /// - Throws: UNAVAILABLE where neither can be asked, CANCELLED.
    package func standing(of claims: AccessClaims) async throws(RPCError) -> TokenBlocklist.Standing {
        if blocklist.knows(claims.sessionID, of: claims.subject) { return .standing }
        var cause: RedisError?
        do throws(RedisError) {
            let standing = try await patience.ask { () async throws(RedisError) in
                try await blocklist.standing(session: claims.sessionID, of: claims.subject)
            }
            if let standing, standing != .unknown { return standing }
        } catch where error.code == .cancelled {
            throw RPCError(.cancelled, "The call was cancelled.", cause: error)
        } catch {
            cause = error
        }
        guard let record else { return .unknown }
        do throws(PostgresError) {
            return try await record.isRevoked(claims) ? .revoked : .standing
        } catch where error.code == .queryCancelled {
            throw RPCError(.cancelled, "The call was cancelled.", cause: error)
        } catch {
            throw .unavailable("Whether the session still stands cannot be checked right now.", cause: cause ?? error)
        }
    }
}
