import Application
import Contracts
import RPC
import Resilience
import Time

/// Stands between the Gateway and one service: turns calls away while the service is known not to answer, and bounds how many
/// of them go on at a time, so that a service that hangs holds nothing of the others.
struct BackendGuard: ClientInterceptor {
    let backend: Backend
    let breaker: CircuitBreaker
    let bulkhead: Bulkhead
    /// For calls of streams, which may go on for minutes without keeping the service busy.
    let streams: Bulkhead
    let answers: LastAnswers

    func intercept(_ context: ClientCallContext, next: @Sendable (ClientCallContext) async throws -> Void) async throws {
        var permit: CircuitBreaker.Permit
        do throws(CircuitBreaker.Refused) {
            permit = try breaker.admit()
        } catch {
            throw absent(for: error.retryAfter)
        }
        let isStream = context.method.kind != .unary
        // What a stream says of the service comes too late for a probe.
        if isStream, permit.isProbe {
            breaker.ended(permit, .neutral)
            throw absent(for: .seconds(1))
        }
        let bulkhead = isStream ? streams : bulkhead
        do throws(Bulkhead.Refused) {
            try await bulkhead.enter(until: context.deadline)
        } catch {
            breaker.ended(permit, .neutral)
            if error == .cancelled { throw CancellationError() }
            throw RPCError.unavailable("The \(backend.rawValue) service has more calls than it can answer at the moment.", cause: error)
        }
        defer { bulkhead.leave() }
        var context = context
        // A call that tries a service that was away finds out whether it is there, and does not wait until it is.
        if permit.isProbe { context.waitForReady = false }
        permit.begin()
        do {
            try await next(context)
        } catch {
            let failure = RPCError(caught: error)
            let outcome = Self.outcome(
                of: failure, isStream: isStream, waitsForReady: context.waitForReady, isProbe: permit.isProbe,
                isLate: Self.isLate(context.deadline), took: permit.elapsed)
            breaker.ended(permit, outcome, isTimed: !isStream)
            // The caller asked for no try, and reads what the others do.
            if permit.isProbe, failure.code == .unavailable, outcome == .failed {
                throw absent(for: .seconds(1), because: failure)
            }
            throw error
        }
        breaker.ended(permit, .succeeded, isTimed: !isStream)
        answers.note(backend)
    }

    private func absent(for time: Duration, because cause: (any Error)? = nil) -> RPCError {
        var error = RPCError.retry(.unavailable, "The \(backend.rawValue) service does not answer at the moment.", after: time)
        error.cause = cause
        return error
    }

    /// A caller who gives a call less than this says nothing about the service when it ends too late.
    static let hurry: Duration = .seconds(2)

    /// Whether a deadline has passed for the caller, who knows it a moment before we do.
    static func isLate(_ deadline: Deadline?) -> Bool {
        deadline.map { $0.remaining <= .milliseconds(250) } ?? false
    }

    /// What a call's error says of the service that was called. Only its absence counts against it: what a caller can bring about
    /// by a request (INTERNAL, UNKNOWN, a budget that is used up) must not shut the service for others.
    static func outcome(
        of error: RPCError, isStream: Bool, waitsForReady: Bool, isProbe: Bool, isLate: Bool, took duration: Duration
    ) -> CallOutcome {
        switch error.code {
        case .unavailable:
            // The service itself says when to come again: it is there, and something that it needs is not.
            if error.trailers[Pushback.name] != nil { return .succeeded }
            // Who does not wait for a connection is refused in every restart.
            return waitsForReady || isProbe ? .failed : .neutral
        // A stream may go on until its deadline, or until its caller has had enough.
        case .deadlineExceeded where isStream, .cancelled where isStream:
            return .neutral
        case .deadlineExceeded:
            return duration >= hurry ? .failed : .neutral
        // The Gateway's own caller has waited until its deadline, and has gone away then.
        case .cancelled where isLate && duration >= hurry:
            return .failed
        case .cancelled, .resourceExhausted, .internalError, .unknown, .dataLoss:
            return .neutral
        default:
            return .succeeded
        }
    }
}
