internal import Postgres
package import RPC
internal import Redis
internal import Time
internal import Contracts

/// An error that knows what its caller should read. Each service's closed list of errors conforms, so the mapping
/// to a status is written once, beside the list.
package protocol RPCErrorConvertible: Error {
    var rpcError: RPCError { get }
}

extension RPCError {
    /// What a caller reads of any error that a handler let through.
    ///
    /// A store that cannot be reached is UNAVAILABLE with a time to try again, one that was too slow
    /// DEADLINE_EXCEEDED, a lost race ABORTED; the rest is ours to find in the log.
    package static func answering(_ error: any Error) -> RPCError {
        switch error {
        case let error as RPCError: error
        case let error as any RPCErrorConvertible: error.rpcError.adding(error.errorInfo)
        case let error as PostgresError: answering(error)
        case let error as RedisError: answering(error)
        case is CancellationError: RPCError(.cancelled, "The call was cancelled.", cause: error)
        default: RPCError(.internalError, "Something went wrong on our side. It has been recorded.", cause: error)
        }
    }

    private static func answering(_ error: RedisError) -> RPCError {
        switch error.code {
        case .cancelled:
            RPCError(.cancelled, "The call was cancelled.", cause: error)
        case .timeout:
            RPCError(.deadlineExceeded, "The short-lived store did not answer in time.", cause: error).naming([.redis])
        case .outcomeUnknown:
            RPCError(
                .unknown, "The connection to the short-lived store was lost; whether the change was made is not known.",
                cause: error)
        case .unexpectedReply, .invalidCommand:
            RPCError(.internalError, "Something went wrong on our side. It has been recorded.", cause: error)
        default:
            .unavailable("The short-lived store cannot be reached.", cause: error)
        }
    }

    private static func answering(_ error: PostgresError) -> RPCError {
        switch error.code {
        case .connectionFailed:
            .unavailable("The database cannot be reached.", cause: error)
        case .poolTimeout:
            RPCError.unavailable("The database cannot be reached.", cause: error).naming([.pool])
        case .outcomeUnknown:
            RPCError(
                .unknown, "The connection to the database was lost; whether the change was made is not known.", cause: error)
        case .statementTimeout, .lockTimeout:
            RPCError(.deadlineExceeded, "The database did not answer in time.", cause: error).naming([.database])
        case .queryCancelled:
            RPCError(.cancelled, "The call was cancelled while the database worked on it.", cause: error)
        case .serializationFailure, .deadlockDetected:
            RPCError(.aborted, "Another change came first. Try again.", cause: error)
        case .invalidText:
            RPCError(.invalidArgument, "The request holds text that the database cannot keep.", cause: error)
        default:
            RPCError(.internalError, "Something went wrong on our side. It has been recorded.", cause: error)
        }
    }

    /// UNAVAILABLE, with RetryInfo of one second.
    package static func unavailable(_ message: String, cause: (any Error)? = nil) -> RPCError {
        var error = RPCError.retry(.unavailable, message, after: .seconds(1))
        error.cause = cause
        return error
    }
}
