@testable internal import Application
internal import Audit
internal import Postgres
internal import RPC
internal import Resilience
internal import Synchronization
internal import TestSupport
internal import Time
internal import Tokens

@testable internal import Users

/// A stream whose handler goes on until it is cancelled.
final class OpenStream: Sendable {
    private let state = Mutex((hasBegun: false, isCancelled: false))

    private var hasBegun: Bool { state.withLock { $0.hasBegun } }
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// What the call ends with; `end` is done when its handler goes on. `nil` if it ends by itself.
    func ending(of context: RPCContext, letIn authentication: Authentication, by end: () async throws -> Void) async throws -> RPCError? {
        async let call: Void = authentication.intercept(context) { _ in try await self.goOn() }
        try await until { hasBegun }
        try await end()
        do {
            try await call
            return nil
        } catch {
            return RPCError.answering(error)
        }
    }

    private func goOn() async throws {
        state.withLock { $0.hasBegun = true }
        do { try await Task.sleep(for: .seconds(600)) } catch {
            state.withLock { $0.isCancelled = true }
            throw error
        }
    }
}

/// The clock that tokens are judged by. It is looked at once each time that it is asked whether a caller is let in.
final class TokenClock: Sendable {
    private let state = Mutex((instant: Instant?.none, looks: 0))

    var looks: Int { state.withLock { $0.looks } }

    /// From now on it stands there.
    func stop(at instant: Instant) { state.withLock { $0.instant = instant } }

    func look() -> Instant {
        state.withLock { state in
            state.looks += 1
            return state.instant ?? .now()
        }
    }

    /// Waits until it was looked at some more times.
    func isLookedAt() async throws {
        let before = looks
        try await until { looks > before + 3 }
    }
}

extension UsersStand {
    /// What every service lets its callers in by; streams ask again soon.
    ///
    /// - Parameter hasRecord: false for a program without a database, which passes its calls on.
    func authentication(clock: TokenClock = TokenClock(), hasRecord: Bool = true) throws -> Authentication {
        let postgres: Postgres? = hasRecord ? self.postgres : nil
        var authentication = Authentication(
            verifier: try TokenVerifier(jwks: signer.jwks, issuer: "heartguard", now: { clock.look() }),
            sessions: SessionCheck(blocklist: blocklist, postgres: postgres), patients: PatientAccess(postgres: postgres),
            audit: CallAudit(AuditOutlet { _ throws(RPCError) in }), isPassedOn: { _ in !hasRecord })
        authentication.watch.pause = .milliseconds(5)
        return authentication
    }
}
