internal import Time

extension Postgres {
    /// Runs one statement that the server refuses inside a transaction, such as `CREATE INDEX CONCURRENTLY`. For
    /// migrations: the text comes from a file of ours and has no parameters.
    ///
    /// What it has done when it fails stays done. `lockTimeout` holds for this statement.
    ///
    /// - Throws: as `rows` does; a lost connection leaves the statement done, undone or half done.
    nonisolated(nonsending) package func executeOutsideTransaction(
        _ statement: String, lockTimeout: Duration, tier: TimeoutTier
    ) async throws(PostgresError) {
        // Zero would switch it off.
        let milliseconds = max(1, lockTimeout.millisecondsRoundedUp)
        let result: Result<Void, PostgresError> = try await withSession(.none, tier, .readWrite) { session in
            do throws(PostgresError) {
                // No BEGIN can ask for writes and for the tier's time, which sessions do not give by default.
                let limit = max(1, session.deadline.remaining.millisecondsRoundedUp)
                _ = try await session.run(
                    .script("""
                        SET lock_timeout = \(milliseconds); SET statement_timeout = \(limit); SET default_transaction_read_only = off
                        """), begins: false, commits: false)
            } catch {
                return .failure(error)
            }
            let result: Result<Void, PostgresError>
            do throws(PostgresError) {
                _ = try await session.run(.script(statement), begins: false, commits: false)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            do throws(PostgresError) {
                // Whatever became of the task: the next borrower is to find the session's own settings.
                _ = try await session.run(
                    .script("RESET lock_timeout; RESET statement_timeout; RESET default_transaction_read_only"),
                    begins: false, commits: false, isCancellable: false)
            } catch {
                // The statement's own error says more. After the deadline nothing is sent, so the session ends with its settings.
                await session.connection.close()
                return result
            }
            return result
        }
        try result.get()
    }
}
