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
        /// A revision of concurrent indexes holds a statement that is something else.
        case notAnIndex(revision: String)
        /// An index was built and is not valid: a unique one whose rows are not.
        case invalidIndex(revision: String)
        /// There is no SQL that takes the revision back.
        case noWayDown(revision: String)
        /// The database has no such revision applied.
        case notApplied(revision: String)
        /// Objects of the schema are not what the revisions left.
        case drift(objects: [String])
        /// Others migrated this database for as long as this migrator could wait.
        case busy
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
