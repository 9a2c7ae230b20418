/// What went wrong with a query, a transaction or a connection.
///
/// `message` is a sentence for an operator. It names constraints, tables and columns but never a value: PostgreSQL's
/// DETAIL, which quotes rows, is not kept, and where its primary message may quote a value it is replaced.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// A row with this key exists (23505); `constraint` names the index.
        case uniqueViolation
        /// The row that is referred to is missing, or is still referred to (23503).
        case foreignKeyViolation
        /// A check constraint does not hold (23514).
        case checkViolation
        /// A column that must have a value got none (23502).
        case notNullViolation
        /// The row conflicts with another by an exclusion constraint (23P01).
        case exclusionViolation
        /// Concurrent transactions could not be put in an order (40001). Running the whole transaction again may help.
        case serializationFailure
        /// Transactions waited for each other, and this one was chosen to give way (40P01).
        case deadlockDetected
        /// The role may not do that, or a row-level security policy refused the row (42501).
        case insufficientPrivilege
        /// There is no such table (42P01).
        case undefinedTable
        /// The task was cancelled, or an operator cancelled the query. Nothing was committed.
        case queryCancelled
        /// The tier's limit or the deadline passed. Nothing was committed.
        case statementTimeout
        /// A lock was not free within `lock_timeout`, or at once with NOWAIT (55P03).
        case lockTimeout
        /// No connection became free in time, or too many were waiting already. Nothing was sent.
        case poolTimeout
        /// The server could not be reached, or the connection was lost before anything could have been committed.
        case connectionFailed
        /// The connection was lost when the COMMIT may have been under way: the work is done or it is not. Only
        /// reading tells, so the caller must not repeat anything that is not idempotent.
        case outcomeUnknown
        /// The server's answer is not of the Swift type that was asked for.
        case decoding
        /// A text is not UTF-8, holds a NUL, or is not what the type's input form allows (22021, 22P02, 22P05).
        case invalidText
        /// A prepared statement no longer fits the schema, and could not be prepared again in the middle of a
        /// transaction (0A000, 26000). Running the whole transaction again helps.
        case statementOutOfDate
        /// Any other SQLSTATE.
        case other(String)
    }

    package let code: Code
    package let message: String
    /// The five characters that PostgreSQL sent; `nil` if the error did not come from the server.
    package let sqlState: String?
    /// The constraint that was violated, by name.
    package let constraint: String?
    /// The row that a COPY or a batch failed at, counted from 0, where the server tells it.
    package let row: Int?
    package let cause: (any Error)?
    /// The server has heard nothing of the statement, so the transaction is as it was before.
    let isUnsent: Bool

    package init(
        _ code: Code, _ message: String, sqlState: String? = nil, constraint: String? = nil, row: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.init(code, message, sqlState: sqlState, constraint: constraint, row: row, cause: cause, isUnsent: false)
    }

    private init(
        _ code: Code, _ message: String, sqlState: String?, constraint: String?, row: Int?, cause: (any Error)?, isUnsent: Bool
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
        self.row = row
        self.cause = cause
        self.isUnsent = isUnsent
    }

    /// Of a statement that was not sent.
    static func unsent(_ code: Code, _ message: String) -> PostgresError {
        PostgresError(code, message, sqlState: nil, constraint: nil, row: nil, cause: nil, isUnsent: true)
    }

    /// Nothing was committed, and the same transaction may well succeed when it is run again from its beginning.
    package var isTransient: Bool {
        switch code {
        case .serializationFailure, .deadlockDetected, .lockTimeout, .poolTimeout, .connectionFailed,
            .statementOutOfDate: true
        case .other(let state): state == "57P03" || state.hasPrefix("53")
        default: false
        }
    }

    package var description: String {
        message + (row.map { " In row \($0)." } ?? "") + (sqlState.map { " (SQLSTATE \($0))" } ?? "")
    }
}
