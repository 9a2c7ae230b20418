package import ConnectionPool
package import Logging
internal import Time

/// A database, reached through a pool of connections.
///
/// Each call runs in a transaction of its own that carries the identity and the time limit with it; BEGIN, both settings,
/// the statement and COMMIT are one round trip. Statements are prepared once per connection. No thread that is shared
/// with others waits for the server.
///
/// A call that returns has been committed. A call that throws has not been, except for `.outcomeUnknown`. Nothing that may
/// have run is ever sent again. Within a `unit` a call that returns is committed with the unit.
package final class Postgres: Sendable {
    private let pool: ConnectionPool<Connection>
    private let replicas: ConnectionPool<Connection>?
    private let observer: (any PostgresObserver)?

    /// Connects nowhere yet; `run()` does. The observer hears of every round trip.
    ///
    /// - Parameter replicas: where transactions whose mode allows it read; without it all go to the one pool.
    package init(
        configuration: PostgresConfiguration, replicas: PostgresConfiguration? = nil, logger: Logger,
        observer: (any PostgresObserver)? = nil
    ) {
        self.observer = observer
        pool = Postgres.pool(configuration, logger)
        self.replicas = replicas.map { Postgres.pool($0, logger) }
    }

    private static func pool(_ configuration: PostgresConfiguration, _ logger: Logger) -> ConnectionPool<Connection> {
        ConnectionPool(configuration: configuration.pool, onLongLoan: { $0.log(logger) }) {
            do throws(PostgresError) {
                return try await Connection.open(configuration)
            } catch {
                if error.code != .queryCancelled {
                    logger.warning("No connection to PostgreSQL", metadata: ["error": "\(error)"])
                }
                throw error
            }
        }
    }

    /// Keeps the connections until the task is cancelled; then lends no more, waits for those that are lent up to the
    /// pool's `drainTimeout`, and returns when they are closed.
    package func run() async {
        async let replicas: Void? = replicas?.run()
        await pool.run()
        await replicas
    }

    /// An executor whose tasks resume on the thread that read the server's answer, which spares two switches between threads a
    /// query; another at each call, for there are as many as cores, up to four. For tasks that do little between their
    /// queries: one that computes keeps others from their answers.
    package var taskExecutor: any TaskExecutor { EventLoop.next }

    /// The pool's numbers.
    package var statistics: PoolStatistics { pool.statistics }
    /// The numbers of the replicas' pool, if there is one.
    package var replicaStatistics: PoolStatistics? { replicas?.statistics }

    /// The rows of a query.
    ///
    /// - Throws: `.poolTimeout` or `.connectionFailed` with nothing committed; `.queryCancelled` if the task is
    ///   cancelled; `.statementTimeout` after the tier's limit or `Deadline.current`; `.outcomeUnknown`, never with a
    ///   read-only mode, if the connection was lost at the end; `.decoding` if a row is not what `Value` reads; or what
    ///   the server reported.
    nonisolated(nonsending) package func rows<Value: RowDecodable>(
        _ query: Query, as type: Value.Type, identity: Identity = .none, tier: TimeoutTier = .fast,
        mode: TransactionMode = .readWrite
    ) async throws(PostgresError) -> [Value] {
        try await result(of: query, identity, tier, mode).decode(as: type)
    }

    /// The first row of a query, or `nil` if it has none. Throws as `rows` does.
    nonisolated(nonsending) package func first<Value: RowDecodable>(
        _ query: Query, as type: Value.Type, identity: Identity = .none, tier: TimeoutTier = .fast,
        mode: TransactionMode = .readWrite
    ) async throws(PostgresError) -> Value? {
        try await result(of: query, identity, tier, mode).first(as: type)
    }

    /// Runs a statement and tells how many rows it touched. Throws as `rows` does.
    @discardableResult
    nonisolated(nonsending) package func execute(
        _ query: Query, identity: Identity = .none, tier: TimeoutTier = .fast
    ) async throws(PostgresError) -> Int {
        try await result(of: query, identity, tier, .readWrite).rowsAffected
    }

    /// Runs several statements in one transaction and one round trip. Throws as `rows` does; nothing is committed then.
    @discardableResult
    nonisolated(nonsending) func batch(
        _ queries: [Query], identity: Identity = .none, tier: TimeoutTier = .fast, mode: TransactionMode = .readWrite
    ) async throws(PostgresError) -> [QueryResult] {
        guard !queries.isEmpty else { return [] }
        return try await withSession(identity, tier, mode, for: queries) { session in
            do throws(PostgresError) {
                let answer = try await session.run(.statements(queries), begins: true, commits: true)
                return Result<[QueryResult], PostgresError>.success(answer.results)
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// Lends a transaction to `body`, commits it when `body` returns and rolls it back when `body` throws.
    ///
    /// A body that keeps its connection for longer than the pool's `loanLimit` is told of in the log by its place.
    /// The tier's limit is for the whole transaction. `body` is never called twice; who wants to run a transaction again
    /// after `.serializationFailure` (see `PostgresError.isTransient`) calls this method again.
    ///
    /// - Throws: what `body` throws; `PostgresError` as `rows` does.
    nonisolated(nonsending) package func transaction<Value>(
        identity: Identity = .none, tier: TimeoutTier = .fast, mode: TransactionMode = .readWrite,
        file: String = #fileID, line: Int = #line,
        _ body: nonisolated(nonsending) (Transaction) async throws -> Value
    ) async throws -> Value {
        try await withSession(identity, tier, mode, Borrower(file: file, line: line)) { session in
            let transaction = Transaction(session)
            let unit = session.savepoint == nil ? nil : TransactionUnit.current(of: self)
            unit?.enter(transaction)
            defer { unit?.leave(transaction) }
            do {
                let value = try await body(transaction)
                try await transaction.commit()
                return Result<Value, any Error>.success(value)
            } catch {
                transaction.end()
                return .failure(error)
            }
        }.get()
    }

    /// Asks the server, or with `.replica` that of the replicas, for a sign of life. Throws as `rows` does.
    nonisolated(nonsending) package func ping(_ mode: TransactionMode = .readOnly) async throws(PostgresError) {
        _ = try await result(of: "SELECT 1", .none, .fast, mode)
    }

    nonisolated(nonsending) func result(
        of query: Query, _ identity: Identity, _ tier: TimeoutTier, _ mode: TransactionMode
    ) async throws(PostgresError) -> QueryResult {
        guard let result = try await batch([query], identity: identity, tier: tier, mode: mode).first else {
            throw PostgresError(.decoding, "The server gave no result for a statement.")
        }
        return result
    }

    /// Lends a connection, and leaves nothing of the borrower on it: no open transaction, no request to stop.
    ///
    /// - Parameter queries: what it is wanted for, as far as that is known; the observer is told if it comes to nothing.
    nonisolated(nonsending) func withSession<Value>(
        _ identity: Identity, _ tier: TimeoutTier, _ mode: TransactionMode, _ borrower: Borrower? = nil, for queries: [Query] = [],
        _ body: nonisolated(nonsending) (Session) async -> Value
    ) async throws(PostgresError) -> Value {
        let deadline = tier.deadline()
        let remaining = deadline.remaining
        guard remaining > .zero else {
            throw PostgresError(.statementTimeout, "The deadline had passed before a connection was asked for.")
        }
        if let outer = TransactionUnit.transaction(of: self) {
            let session = outer.part(identity, until: deadline, mode)
            let value = await body(session)
            await session.savepoint?.settle()
            return value
        }
        let began = observer == nil ? nil : ContinuousClock.now
        let scope = CurrentTask.scope
        scope?.entered(.pool)
        do throws(PoolError) {
            let pool = mode.mayLag ? replicas ?? pool : pool
            return try await pool.withConnection(waitingAtMost: remaining, borrower: borrower) { connection in
                scope?.left(.pool)
                let session = Session(
                    connection: connection, deadline: deadline, mode: mode, identity: identity, observer: observer,
                    waited: began?.duration(to: .now) ?? .zero)
                let value = await body(session)
                await connection.settle()
                return value
            }
        } catch {
            scope?.left(.pool)
            let error = PostgresError(error)
            observer?.ended(RoundTrip(
                statements: queries.map(\.sql), waitedForConnection: began?.duration(to: .now) ?? .zero, waitedForServer: .zero,
                failure: error.code, hadConnection: false))
            throw error
        }
    }
}

extension PostgresError {
    fileprivate init(_ error: PoolError) {
        let code: Code = switch error {
        case .timedOut(_, nil), .tooManyWaiters: .poolTimeout
        case .timedOut(_, .some), .shutDown: .connectionFailed
        case .cancelled: .queryCancelled
        }
        self.init(code, error.description, cause: error)
    }
}
