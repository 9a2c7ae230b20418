/// What went wrong between us and Redis.
///
/// The sentence names the command but never its arguments, which may be somebody's data.
package struct RedisError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// There is no connection, and this command was not sent.
        case connectionFailed
        /// Redis refused the user or the password, or demands one.
        case authenticationFailed
        /// The server of the durable role may evict keys, so nothing may be entrusted to it.
        case evictingServer
        /// Too many commands are waiting for their replies; this one was not sent.
        case overloaded
        /// No reply within the command timeout or the caller's deadline.
        case timeout
        /// The caller's task was cancelled.
        case cancelled
        /// The connection died after the command was sent and before its reply came.
        case outcomeUnknown
        /// Redis answered with this error code, such as `WRONGTYPE` or `OOM`.
        case server(String)
        /// What came is not RESP, or is larger or deeper than allowed.
        case protocolViolation
        /// The reply has another type than this command promises.
        case unexpectedReply
        /// The command is empty, too large, or would disturb others on the shared connection.
        case invalidCommand
        /// The client has been shut down.
        case closed
    }

    package let code: Code
    /// A sentence for a person.
    package let message: String
    /// Whether Redis may have run the command. If false it certainly did not, and sending it again is safe.
    package let mayHaveRun: Bool
    /// For the log.
    package let cause: (any Error)?

    package var description: String { message }

    init(_ code: Code, _ message: String, mayHaveRun: Bool = false, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.mayHaveRun = mayHaveRun
        self.cause = cause
    }
}

extension RedisError {
    /// The error for an error reply inside a batch, when the batch as a whole has to fail.
    package static func server(_ error: RESPError, command: String) -> RedisError {
        // An error reply means that the command had no effect, except for a script, which may stop half-way.
        RedisError(
            .server(error.code), "Redis refused \(command): \(error.message)", mayHaveRun: command.hasPrefix("EVAL"),
            cause: error)
    }

    /// The error for a reply that a script or command should not have given.
    package static func unexpectedReply(to command: String) -> RedisError {
        RedisError(
            .unexpectedReply, "Redis answered \(command) with a reply of another type than expected.", mayHaveRun: true)
    }

    static func timeout(_ command: String, wasSent: Bool) -> RedisError {
        RedisError(
            .timeout,
            wasSent
                ? "Redis did not answer \(command) in time; whether it ran is not known."
                : "\(command) could not be sent to Redis in time.",
            mayHaveRun: wasSent)
    }

    static func cancelled(_ command: String, wasSent: Bool) -> RedisError {
        RedisError(.cancelled, "The task that waited for Redis' answer to \(command) was cancelled.", mayHaveRun: wasSent)
    }

    static func outcomeUnknown(_ command: String, cause: any Error) -> RedisError {
        RedisError(
            .outcomeUnknown,
            "The connection was lost before Redis answered \(command); whether it ran is not known.", mayHaveRun: true,
            cause: cause)
    }

    static func notSent(_ command: String, cause: RedisError) -> RedisError {
        RedisError(cause.code, "\(command) was not sent: \(cause.message)", cause: cause)
    }
}
