internal import Time

/// A lent connection and the time that its borrower has.
struct Session: Sendable {
    let connection: Connection
    var deadline: Deadline
    let mode: TransactionMode
    let identity: Identity
    let observer: (any PostgresObserver)?
    /// How long the connection was waited for.
    let waited: Duration
    /// What begins and commits for a session that is part of a transaction; `nil` for one that has its connection to itself.
    var savepoint: Savepoint?

    /// What a finished exchange gave.
    struct Answer: Sendable {
        let results: [QueryResult]
        let tag: String
    }

    /// Runs statements in one round trip, inside a transaction.
    ///
    /// - Parameters:
    ///   - begins: BEGIN and the identity go first if no transaction is open.
    ///   - commits: COMMIT goes last.
    ///
    /// Where the exchange begins the transaction, and a statement's plan is out of date, all is prepared and run again: all
    /// of it was rolled back, and the server refused before it ran anything of the statement. Otherwise nothing is sent
    /// twice.
    nonisolated(nonsending) func run(
        _ body: Exchange.Body, begins: Bool, commits: Bool, isCancellable: Bool = true
    ) async throws(PostgresError) -> Answer {
        if let savepoint {
            return try await savepoint.run(body, of: self, begins: begins, commits: commits, isCancellable: isCancellable)
        }
        guard let observer else {
            return try await answer(to: body, begins: begins, commits: commits, isCancellable: isCancellable)
        }
        let began = ContinuousClock.now
        func tell(_ failure: PostgresError.Code?) {
            observer.ended(RoundTrip(
                statements: body.texts, waitedForConnection: begins ? waited : .zero,
                waitedForServer: began.duration(to: .now), failure: failure))
        }
        do throws(PostgresError) {
            let answer = try await answer(to: body, begins: begins, commits: commits, isCancellable: isCancellable)
            tell(nil)
            return answer
        } catch {
            tell(error.code)
            throw error
        }
    }

    nonisolated(nonsending) private func answer(
        to body: Exchange.Body, begins: Bool, commits: Bool, isCancellable: Bool
    ) async throws(PostgresError) -> Answer {
        var attempt = await attempt(body, begins: begins, commits: commits, isCancellable: isCancellable)
        if case .outOfDate = attempt, begins {
            await connection.settle()
            attempt = await self.attempt(body, begins: begins, commits: commits, isCancellable: isCancellable)
        }
        switch attempt {
        case .answered(let answer): return answer
        case .failed(let error): throw error
        case .outOfDate(let failure):
            throw PostgresError(
                .statementOutOfDate, "The schema changed under a prepared statement; the transaction can be run again.",
                sqlState: failure.sqlState
            )
        }
    }

    /// Runs a COPY in the transaction that is open; returns when its data has ended and the server has answered.
    nonisolated(nonsending) func copy(_ sql: String, _ channel: CopyChannel) async -> Result<Answer, PostgresError> {
        do throws(PostgresError) {
            return .success(try await run(.copy(sql, channel), begins: false, commits: false))
        } catch {
            return .failure(error)
        }
    }

    private enum Attempt {
        case answered(Answer)
        case failed(PostgresError)
        /// A statement has to be prepared again.
        case outOfDate(ServerFailure)
    }

    nonisolated(nonsending) private func attempt(
        _ body: Exchange.Body, begins: Bool, commits: Bool, isCancellable: Bool
    ) async -> Attempt {
        let remaining = deadline.remaining
        guard remaining > .zero else {
            return .failed(.unsent(.statementTimeout, "The deadline passed before the statement was sent."))
        }
        if let error = body.excess { return .failed(error) }
        // What a read-only transaction needs fits between two synchronisation points, which PostgreSQL makes a transaction of their
        // own (55.2.4, "Pipelining"). It has nothing to commit, so BEGIN and COMMIT would only be two commands more.
        let isImplicit = begins && commits && mode.isReadOnly && mode.isolation == .readCommitted
        let exchange = Exchange(
            begin: begins && !isImplicit ? mode.begin : nil,
            settings: settings(for: body, remaining, begins: begins, isImplicit: isImplicit), body: body, commits: commits && !isImplicit
        )
        // What must not be stopped, a lone COMMIT, gets the time that its answer needs.
        let limit = isCancellable ? deadline : max(deadline, .after(Connection.stopLimit))
        let submission = Submission(exchange, deadline: limit, isCancellable: isCancellable)
        let scope = CurrentTask.scope
        scope?.entered(.database)
        let (outcome, stopReason) = await connection.perform(submission)
        scope?.left(.database)
        switch outcome {
        case .completed(let results, let tag):
            return .answered(Answer(results: results.map(QueryResult.init), tag: tag))
        case .neverStarted:
            return .failed(.unsent(.queryCancelled, "The task was cancelled before the statement was sent."))
        case .failed(let failure, _) where failure.isStalePlan || failure.isMissingStatement:
            return .outOfDate(failure)
        case .failed(let failure, _):
            return .failed(error(for: failure, stopReason))
        case .lost(let reason, _, let commitIsPossible):
            return .failed(lost(reason, commitIsPossible && !mode.isReadOnly, stopReason))
        }
    }

    /// What is told to the server before the statements: what is left of the time and, where the transaction begins, the identity; and
    /// the refusal of writes where no BEGIN asks for it. What the session does by itself is not told again.
    private func settings(for body: Exchange.Body, _ remaining: Duration, begins: Bool, isImplicit: Bool) -> Query? {
        guard case .statements(let queries) = body, !queries.isEmpty || begins else { return nil }
        let difference = TimeoutTier.fast.limit - remaining
        let isSessionsLimit = connection.hasDefaults && begins
            && difference < Session.tolerance && difference > .zero - Session.tolerance
        // Zero would switch the timeout off.
        let milliseconds = isSessionsLimit ? nil : String(max(1, remaining.millisecondsRoundedUp))
        return (begins ? identity : .none).preamble(
            milliseconds: milliseconds, refusesWrites: isImplicit && !connection.hasDefaults)
    }

    /// A limit so close to the session's own is left to that; the client's own watch over the deadline is coarser.
    private static let tolerance = Duration.milliseconds(100)

    private func error(for failure: ServerFailure, _ stopReason: StopReason?) -> PostgresError {
        guard failure.isCancellation else { return PostgresError(failure) }
        switch stopReason {
        case .taskCancelled:
            return PostgresError(.queryCancelled, "The task was cancelled.", sqlState: failure.sqlState)
        case nil where !deadline.hasPassed:
            return PostgresError(
                .queryCancelled, "The server stopped the statement on request.", sqlState: failure.sqlState
            )
        case .abandoned:
            return PostgresError(.queryCancelled, "The reader of a COPY wanted no more of it.", sqlState: failure.sqlState)
        case nil, .deadlinePassed:
            return PostgresError(
                .statementTimeout, "The statement took longer than it was given.", sqlState: failure.sqlState
            )
        }
    }

    private func lost(_ reason: String, _ commitIsPossible: Bool, _ stopReason: StopReason?) -> PostgresError {
        if commitIsPossible {
            return PostgresError(
                .outcomeUnknown, "The connection was lost when the COMMIT may have been under way: \(reason)"
            )
        }
        return switch stopReason {
        case .taskCancelled: PostgresError(.queryCancelled, "The task was cancelled; the connection was lost: \(reason)")
        case .abandoned: PostgresError(.queryCancelled, "A COPY was abandoned; the connection was lost: \(reason)")
        case .deadlinePassed: PostgresError(.statementTimeout, "The deadline passed; the connection was lost: \(reason)")
        case nil: PostgresError(.connectionFailed, "The connection was lost before anything was committed: \(reason)")
        }
    }
}

extension Exchange.Body {
    /// Of the statements, with their placeholders.
    var texts: [String] {
        switch self {
        case .statements(let queries): queries.map(\.sql)
        case .copy(let sql, _): [sql]
        case .description(let query): [query.sql]
        case .script, .settling: []
        }
    }

    /// What the protocol cannot carry, found before it would cost the connection.
    fileprivate var excess: PostgresError? {
        guard case .statements(let queries) = self else { return nil }
        if queries.contains(where: { $0.parameters.count > 65_535 }) {
            return .unsent(.other("54023"), "A statement has more than 65,535 parameters; bind arrays and `unnest` them.")
        }
        // A field, and a message, of PostgreSQL is smaller than 1 GiB.
        if queries.contains(where: { $0.parameters.bytes.count >= 1 << 30 }) {
            return .unsent(.other("54000"), "A statement's parameters are larger than 1 GiB.")
        }
        return nil
    }
}
