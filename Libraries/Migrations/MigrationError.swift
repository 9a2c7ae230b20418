/// Why the chain was not applied.
package struct MigrationError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The revision was edited after it had been applied.
        case checksumMismatch(revision: String)
        /// The database has a revision that this program does not know: the program is older than the schema.
        case unknownRevision(String)
        /// The database's revisions are in another order than the chain's.
        case orderMismatch(revision: String)
        /// The revision's SQL failed; nothing of it remains.
        case failed(revision: String)
        /// The revision's SQL ended the transaction that it runs in.
        case endedItsTransaction(revision: String)
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String {
        cause.map { "\(message) \($0)" } ?? message
    }
}
