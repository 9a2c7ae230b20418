internal import Cache
package import Postgres
package import RPC
internal import Redis
package import Resilience
internal import Synchronization
internal import Time
package import Tokens

/// Whether the session of a token still stands: the blocklist says, and the record in Postgres where that cannot.
///
/// While Redis does not answer, it is asked once a second and the record at every call.
package final class SessionCheck: Sendable {
    private let blocklist: TokenBlocklist
    private let record: RevocationRecord?
    private let pause = Mutex(FailurePause())
    /// A healthy Redis answers a hundred times faster.
    private static let patience = Duration.milliseconds(250)

    package init(blocklist: TokenBlocklist, postgres: Postgres?) {
        self.blocklist = blocklist
        record = postgres.map(RevocationRecord.init)
    }

    /// - Throws: UNAVAILABLE where neither can be asked, CANCELLED.
    package func standing(of claims: AccessClaims) async throws(RPCError) -> TokenBlocklist.Standing {
        var cause: RedisError?
        if pause.withLock({ $0.mayAsk(at: .now) }) {
            switch await askBlocklist(claims) {
            case .success(.unknown): pause.withLock { $0.succeeded() }
            case .success(let standing):
                pause.withLock { $0.succeeded() }
                return standing
            case .failure(let error) where error.code == .cancelled:
                throw RPCError(.cancelled, "The call was cancelled.", cause: error)
            case .failure(let error):
                // That the caller has no time says nothing of Redis.
                if Deadline.current?.hasPassed != true { pause.withLock { $0.failed(at: .now) } }
                cause = error
            }
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

    private func askBlocklist(_ claims: AccessClaims) async -> Result<TokenBlocklist.Standing, RedisError> {
        await Deadline.with(.earlier(.after(Self.patience), Deadline.current)) {
            do throws(RedisError) {
                return .success(try await blocklist.standing(session: claims.sessionID, of: claims.subject))
            } catch {
                return .failure(error)
            }
        }
    }
}
