internal import Redis

/// What went wrong with a queue, told to whoever enqueues, asks, or commits.
package struct JobError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Redis has no memory left. Nothing was enqueued.
        case full
        /// Redis could not be asked. Nothing was enqueued.
        case unavailable
        /// Whether the job was enqueued is not known. Enqueueing it again with the same id or unique key is safe.
        case outcomeUnknown
        /// The payload cannot be written as JSON, or is larger than a job may be.
        case invalidPayload
        /// Another worker has taken the job over; nothing that this run does counts any more.
        case fenced
        /// There is no such dead letter, or it has been replayed or dropped.
        case noSuchLetter
        /// The letter has lost its job's body before it died, so there is nothing to run.
        case emptyLetter
        /// A job of the same id is queued again already.
        case queuedAgain
        /// Redis answered what it should not.
        case unexpectedReply
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package var description: String { message }

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    init(_ error: RedisError) {
        switch error.code {
        case .server("OOM"):
            self.init(.full, "The job queue is full: Redis has no memory left. Nothing was enqueued.", cause: error)
        case .unexpectedReply:
            self.init(.unexpectedReply, error.message, cause: error)
        case _ where error.mayHaveRun:
            self.init(.outcomeUnknown, "Redis did not confirm what was asked of the job queue: \(error.message)", cause: error)
        default:
            self.init(.unavailable, "The job queue cannot be reached: \(error.message)", cause: error)
        }
    }

    static let unexpectedReply = JobError(.unexpectedReply, "Redis answered a script of the job queue with a reply of another form than expected.")
}

/// What a handler throws to say what is to become of its job. Any other error is tried again by the job's policy.
package struct JobFailure: Error, Sendable, CustomStringConvertible {
    enum Remedy: Sendable {
        case none
        case retry(after: Duration?)
    }

    let remedy: Remedy
    /// Kept with the dead letter and written to the log. A literal, so no value of anybody can stand in it.
    let sentence: StaticString

    /// Trying again would not help: the job becomes a dead letter at once.
    package static func permanent(_ sentence: StaticString) -> JobFailure { JobFailure(remedy: .none, sentence: sentence) }

    /// To be tried again, as long as there are tries; after this time if it is given.
    package static func temporary(_ sentence: StaticString, retryAfter delay: Duration? = nil) -> JobFailure {
        JobFailure(remedy: .retry(after: delay), sentence: sentence)
    }

    package var description: String { "\(sentence)" }
}
