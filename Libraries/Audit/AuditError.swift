package import Postgres

/// Why an event could not be put on record.
package struct AuditError: Error, Sendable {
    package enum Code: Hashable, Sendable {
        /// Too many events wait already.
        case full
        /// The table could not be written, or it is not known whether it was.
        case notWritten
        /// The program is stopping.
        case stopping
        /// The call that waited was given up. Its event is written all the same.
        case cancelled
    }

    package let code: Code
    package let cause: PostgresError?

    init(_ code: Code, cause: PostgresError? = nil) {
        self.code = code
        self.cause = cause
    }

    /// A sentence for the caller.
    package var message: String {
        switch code {
        case .full: "More calls wait to be put on record than can be. Nothing is answered without that."
        case .notWritten: "The call cannot be put on record right now, and nothing is answered without that."
        case .stopping: "The service is stopping."
        case .cancelled: "The call was cancelled."
        }
    }
}
