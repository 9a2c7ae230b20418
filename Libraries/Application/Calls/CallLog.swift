package import Logging
internal import Postgres
package import RPC
internal import Redis
internal import Synchronization
internal import Time

/// Writes one line for each call that failed, and at debug level one for every call.
///
/// A line names the method, the status, the request and its trace; never a value of the request, nor a name that a caller
/// made up. Of a call that was ended from outside it names what the call waited for then. Of causes only those are written whose
/// texts are known to hold no values. Failures that are ours are errors and warnings, those of callers information; of
/// either so many lines are written a second and the rest is counted, since a caller who does everything wrong must not
/// fill the disk.
package final class CallLog: RPCObserver {
    private let logger: Logger
    private let ours: Mutex<LogAllowance>
    private let theirs: Mutex<LogAllowance>

    package init(logger: Logger, linesPerSecond: Int = 50) {
        self.logger = logger
        ours = Mutex(LogAllowance(perSecond: linesPerSecond))
        theirs = Mutex(LogAllowance(perSecond: linesPerSecond))
    }

    package func meter(of method: MethodDescriptor?) -> any CallMeter {
        Meter(log: self, method: method?.path ?? "_OTHER")
    }

    private struct Meter: CallMeter {
        let log: CallLog
        let method: String

        func ended(_ call: borrowing CallRecord) {
            if let error = call.error {
                log.failed(call, error, method)
            } else if log.logger.logLevel <= .debug {
                let fields = log.fields(call, method)
                log.logger.debug("call answered", metadata: fields)
            }
        }
    }

    private func failed(_ call: borrowing CallRecord, _ error: RPCError, _ method: String) {
        // A request that cannot be read is the sender's doing, whatever its status, and so is one for no method.
        let isTheirs = call.context == nil || error.cause is MalformedMessage
        let level = isTheirs ? .info : Self.level(of: error.code)
        guard level >= logger.logLevel else { return }
        let admission = level == .info
            ? theirs.withLock { $0.ask(at: .now) } : ours.withLock { $0.ask(at: .now) }
        guard case .write(let leftOut) = admission else { return }
        var fields = fields(call, method)
        fields["code"] = "\(error.code.name)"
        if let cause = error.cause { fields["cause"] = "\(Self.sentence(of: cause))" }
        if let stages = call.context?.stages, !stages.isEmpty {
            fields["stage"] = "\(stages.map(\.rawValue).joined(separator: ","))"
        }
        if leftOut > 0 { fields["lines_left_out"] = "\(leftOut)" }
        logger.log(level: level, "call failed", metadata: fields)
    }

    private func fields(_ call: borrowing CallRecord, _ method: String) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "method": "\(method)", "duration_us": "\(Int(call.duration / .microseconds(1)))",
        ]
        if let context = call.context { fields["request_id"] = "\(context.requestName)" }
        if let trace = call.trace { fields["trace_id"] = "\(trace.traceID)" }
        return fields
    }

    private static func level(of code: StatusCode) -> Logger.Level {
        switch code {
        case .internalError, .unknown, .dataLoss: .error
        case .unavailable, .deadlineExceeded, .resourceExhausted: .warning
        default: .info
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

extension Logger.MetadataProvider {
    /// Adds to every line that is written on behalf of a call the trace that the call belongs to.
    package static let trace = Logger.MetadataProvider {
        TraceContext.current.map { ["trace_id": "\($0.traceID)"] } ?? [:]
    }
}
