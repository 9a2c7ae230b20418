internal import Synchronization

/// Statements that take effect together or not at all. Lent by `Postgres.transaction`, and of no use after it.
///
/// BEGIN and the identity travel with the first statement. After an error of one statement the server refuses the others
/// until the transaction is rolled back, which happens when the body throws; a body that hides the error and returns
/// gets it back in place of a commit.
package final class Transaction: Sendable {
    private let session: Session
    private let state = Mutex(State())

    private struct State {
        var hasBegun = false
        var hasEnded = false
    }

    init(_ session: Session) {
        self.session = session
    }

    /// The rows of a query.
    nonisolated(nonsending) package func rows<Value: RowDecodable>(
        _ query: Query, as type: Value.Type
    ) async throws(PostgresError) -> [Value] {
        try await result(of: query).decode(as: type)
    }

    /// The first row of a query, or `nil` if it has none.
    nonisolated(nonsending) package func first<Value: RowDecodable>(
        _ query: Query, as type: Value.Type
    ) async throws(PostgresError) -> Value? {
        try await result(of: query).first(as: type)
    }

    /// Runs a statement and tells how many rows it touched.
    @discardableResult
    nonisolated(nonsending) package func execute(_ query: Query) async throws(PostgresError) -> Int {
        try await result(of: query).rowsAffected
    }

    /// Runs several statements in one round trip.
    @discardableResult
    nonisolated(nonsending) func batch(_ queries: [Query]) async throws(PostgresError) -> [QueryResult] {
        guard !queries.isEmpty else { return [] }
        return try await run(.statements(queries))
    }

    /// Runs several statements given as one text by the simple protocol. For migrations: the text comes from a file of
    /// ours, has no parameters, and must not end the transaction.
    ///
    /// - Throws: `.other("2D000")` if it has ended the transaction all the same; what it committed then stays.
    nonisolated(nonsending) package func execute(script: String) async throws(PostgresError) {
        let number: Query = "SELECT pg_current_xact_id()::text"
        let before = try await first(number, as: Scalar<String>.self)?.value
        let hasEnded = PostgresError(.other("2D000"), "The script ended the transaction that it ran in.")
        do throws(PostgresError) {
            _ = try await run(.script(script))
        } catch where error.sqlState == "25006" && !session.mode.isReadOnly {
            // Only a transaction that the script began itself refuses writes, as sessions do by default.
            throw hasEnded
        }
        let after = try await first(number, as: Scalar<String>.self)?.value
        guard before == after else { throw hasEnded }
    }

    nonisolated(nonsending) private func result(of query: Query) async throws(PostgresError) -> QueryResult {
        guard let result = try await run(.statements([query])).first else {
            throw PostgresError(.decoding, "The server gave no result for a statement.")
        }
        return result
    }

    nonisolated(nonsending) private func run(_ body: Exchange.Body) async throws(PostgresError) -> [QueryResult] {
        let begins = try begin()
        return try await session.run(body, begins: begins, commits: false).results
    }

    /// Whether the next exchange has to begin the transaction.
    private func begin() throws(PostgresError) -> Bool {
        let (hadBegun, hasEnded) = state.withLock { state in
            defer { state.hasBegun = true }
            return (state.hasBegun, state.hasEnded)
        }
        guard !hasEnded else {
            throw PostgresError(.other("25000"), "The transaction has ended and takes no more statements.")
        }
        return !hadBegun
    }

    /// Commits if there is anything to commit and the deadline has not passed. Not stopped by cancellation once it is
    /// sent: the outcome is worth the round trip.
    nonisolated(nonsending) func commit() async throws(PostgresError) {
        let hasBegun = end()
        guard hasBegun else { return }
        let tag = try await session.run(.statements([]), begins: false, commits: true, isCancellable: false).tag
        guard tag == "COMMIT" else {
            throw PostgresError(
                .other("25P02"), "The transaction was rolled back, because one of its statements had failed.",
                sqlState: "25P02"
            )
        }
    }

    /// Takes no more statements. `true` if there were any.
    @discardableResult
    func end() -> Bool {
        state.withLock { state in
            state.hasEnded = true
            return state.hasBegun
        }
    }
}
