internal import Postgres
package import RPC
internal import Synchronization
internal import Telemetry
internal import Time

/// Has a call with an idempotency-key take effect once, however often it is made, and answers it each time with the same bytes.
///
/// The handler runs in a unit of work: what it changes and its answer are committed together, and then the answer leaves. Whoever makes the
/// call again finds both or neither. An error is no answer: nothing happened, and the call made again is a new one.
package struct RepeatedCalls: UnaryInterceptor {
    private let answers: KeptAnswers
    let counts = Counts()
    /// How long a call waits for the first with its key. It holds no connection meanwhile.
    var patience = Duration.seconds(10)

    package init(_ answers: KeptAnswers) { self.answers = answers }

    /// Refuses the key of a call that is no unary one.
    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        _ = try IdempotencyKey.of(context)
        try await next(context)
    }

    package func intercept(
        _ context: RPCContext, _ exchange: UnaryExchange, next: @Sendable (RPCContext) async throws -> Void
    ) async throws {
        guard let key = try IdempotencyKey.of(context) else { return try await next(context) }
        let call = KeyedCall(key, of: try context.caller(), to: context.method, asking: try await exchange.request())
        // What is left of the deadline then is for saying why.
        let end = Deadline.earlier(context.deadline.map { $0 + .milliseconds(-250) }, .after(patience))
        var pause = Duration.milliseconds(2)
        while true {
            switch try await attempt(call, context, exchange, next) {
            case .answered: return counts.count { $0.kept += 1 }
            case .replayed(let answer):
                try exchange.answer(with: answer)
                context.responseMetadata.set(IdempotencyKey.replayed, "true")
                return counts.count { $0.replayed += 1 }
            case .reused:
                counts.count { $0.reused += 1 }
                throw IdempotencyError.idempotencyKeyReused
            case .running where end?.hasPassed ?? false:
                counts.count { $0.running += 1 }
                throw IdempotencyError.callIsRunning
            case .running:
                try await Task.sleep(for: pause * Double.random(in: 0.75...1.25))
                pause = min(pause * 2, .milliseconds(100))
            }
        }
    }

    private enum Outcome {
        case answered
        case replayed([UInt8])
        case reused
        case running
    }

    private func attempt(
        _ call: KeyedCall, _ context: RPCContext, _ exchange: UnaryExchange, _ next: @Sendable (RPCContext) async throws -> Void
    ) async throws -> Outcome {
        let (postgres, schema) = (answers.postgres, answers.schema)
        let identity = Identity.user(call.person)
        return try await postgres.unit(
            identity: identity, tier: TimeoutTier(limit: context.method.policy.timeout.limit)
        ) { transaction in
            // Two statements, so that the second sees what the last to have the lock has committed.
            let (lock, kept) = try await transaction.batch(.lock(call), .answer(to: call, in: schema))
            guard try lock.first()?.value == true else { return .running }
            if let kept = try kept.first() { return kept.request == call.request ? .replayed(kept.answer) : .reused }
            try await next(context)
            guard let answer = exchange.answer else { throw RPCError(.internalError, "The method ended without an answer.") }
            let count = try await postgres.execute(.keep(answer, to: call, for: answers.life, in: schema), identity: identity)
            // The lock keeps all others out who could have written it.
            guard count == 1 else { throw RPCError(.internalError, "Something went wrong on our side. It has been recorded.") }
            return .answered
        }
    }
}

extension RepeatedCalls {
    /// How calls with a key ended, but for those whose handler threw.
    final class Counts: Sendable {
        struct Numbers: Sendable {
            var kept = 0
            var replayed = 0
            var reused = 0
            var running = 0
        }

        private let numbers = Mutex(Numbers())

        fileprivate func count(_ call: (inout Numbers) -> Void) { numbers.withLock { call(&$0) } }

        func write(to text: inout PrometheusText) {
            let numbers = numbers.withLock { $0 }
            let name = "heartguard_idempotency_calls_total"
            text.family(
                name, .counter,
                help: "Calls with an idempotency-key: first calls whose answer was kept, repetitions that were given it, keys of another request, and calls that waited for the first in vain.")
            for (outcome, count) in [
                ("kept", numbers.kept), ("replayed", numbers.replayed), ("reused", numbers.reused), ("running", numbers.running),
            ] {
                text.sample(name, [("outcome", outcome)], UInt64(count))
            }
        }
    }
}
