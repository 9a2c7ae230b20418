internal import Logging
internal import Postgres
internal import RPC
internal import Redis

/// Writes one line for each call that failed for a reason of ours, and at debug level one for every call.
///
/// A line names the method, the status and the request; never a value of the request. Of causes only those are
/// written whose texts are known to hold no values.
struct CallLog: ServerInterceptor {
    let logger: Logger

    // What is written stands in functions of its own, so that little has to be kept while the handler runs.
    func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        let start = ContinuousClock.now
        do {
            try await next(context)
        } catch {
            logFailure(error, of: context, since: start)
            throw error
        }
        logAnswer(to: context, since: start)
    }

    @inline(never)
    private func logAnswer(to context: RPCContext, since start: ContinuousClock.Instant) {
        logger.debug("call answered", metadata: fields(context, start))
    }

    @inline(never)
    private func logFailure(_ error: any Error, of context: RPCContext, since start: ContinuousClock.Instant) {
        guard let error = error as? RPCError else { return }
        var fields = fields(context, start)
        fields["code"] = "\(error.code.name)"
        if let cause = error.cause { fields["cause"] = "\(Self.sentence(of: cause))" }
        // A request that cannot be read is the sender's doing, whatever its status: it must not fill the log.
        let level = error.cause is MalformedMessage ? .debug : Self.level(of: error.code)
        logger.log(level: level, "call failed", metadata: fields)
    }

    private func fields(_ context: RPCContext, _ start: ContinuousClock.Instant) -> Logger.Metadata {
        [
            "method": "\(context.method.path)",
            "request_id": "\(context.requestID)",
            "duration_us": "\((ContinuousClock.now - start) / .microseconds(1))",
        ]
    }

    private static func level(of code: StatusCode) -> Logger.Level {
        switch code {
        case .internalError, .unknown, .dataLoss: .error
        case .unavailable, .deadlineExceeded, .resourceExhausted: .warning
        default: .debug
        }
    }

    private static func sentence(of cause: any Error) -> String {
        switch cause {
        case let error as PostgresError: error.description
        case let error as RedisError: error.message
        case let error as RPCError: error.description
        case let error as MalformedMessage: error.description
        default: String(reflecting: type(of: cause))
        }
    }
}
