internal import Postgres
internal import Redis

/// What may be kept and logged of an error: texts that are known to hold no values, and otherwise its type alone.
func sentence(of error: any Error) -> String {
    switch error {
    case let failure as JobFailure: failure.description
    case let error as JobError: error.message
    case let error as PostgresError: error.message
    case let error as RedisError: error.message
    case is DecodingError: "The job's arguments are not those that it takes."
    case is CancellationError: "The run was cancelled."
    default: "\(type(of: error))"
    }
}
