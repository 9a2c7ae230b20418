/// A statement of a service: its text with the values that it binds, what its rows are read as, how long it may take and
/// whether it only reads, all in one place. Declared once, by name, beside what it is for:
///
///     extension Statement<Device> {
///         static func devices(of user: UUID) -> Self {
///             .reading("SELECT \(Device.columns) FROM vitals.user_devices WHERE user_id = \(user) ORDER BY id DESC")
///         }
///     }
///
///     try await postgres.rows(.devices(of: user), identity: .user(user))
///
/// `Value` is `Void` where nobody reads rows. As a value it can be prepared without being run, which is how tests prove every
/// statement of a service against the schema.
package struct Statement<Value>: Sendable {
    package let query: Query
    /// How long it may take when it runs by itself; within a transaction the transaction's limit holds.
    package let tier: TimeoutTier
    /// What it needs of the transaction that it runs in.
    package let mode: TransactionMode
    /// Where it is declared.
    package let declaration: StatementDeclaration

    /// A statement that the server runs in a read-only transaction. It takes no row locks, which count as writes.
    ///
    /// - Parameter mayLag: content with what was committed a moment ago, and so with a replica.
    package static func reading(
        _ query: Query, tier: TimeoutTier = .fast, mayLag: Bool = false,
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Self {
        Self(
            query: query, tier: tier, mode: mayLag ? .replica : .readOnly,
            declaration: StatementDeclaration(file: file, line: line, function: function))
    }

    /// A statement that changes rows or locks them.
    package static func writing(
        _ query: Query, tier: TimeoutTier = .fast,
        file: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Self {
        Self(
            query: query, tier: tier, mode: .readWrite,
            declaration: StatementDeclaration(file: file, line: line, function: function))
    }
}

/// Where a statement is declared.
package struct StatementDeclaration: Sendable, CustomStringConvertible {
    /// The module and the file: `Vitals/DeviceRepository.swift`.
    package let file: StaticString
    package let line: UInt
    package let function: StaticString

    package var description: String { "\(file):\(line) \(function)" }
}

/// What one statement of several gave, read when it is asked for.
package struct StatementResult<Value>: Sendable {
    let result: QueryResult

    /// The number of rows that were inserted, updated, deleted or selected; 0 for other statements.
    package var rowsAffected: Int { result.rowsAffected }
}

extension StatementResult where Value: RowDecodable {
    /// Throws `.decoding` if a row is not what `Value` reads.
    package func rows() throws(PostgresError) -> [Value] { try result.decode(as: Value.self) }

    /// `nil` if there is none. Throws as `rows` does.
    package func first() throws(PostgresError) -> Value? { try result.first(as: Value.self) }
}

extension Postgres {
    /// The rows of a statement. Throws as `rows(_:as:identity:tier:mode:)` does.
    nonisolated(nonsending) package func rows<Value: RowDecodable>(
        _ statement: Statement<Value>, identity: Identity = .none
    ) async throws(PostgresError) -> [Value] {
        try await result(of: statement.query, identity, statement.tier, statement.mode).decode(as: Value.self)
    }

    /// The first row of a statement, or `nil` if it has none. Throws as `rows` does.
    nonisolated(nonsending) package func first<Value: RowDecodable>(
        _ statement: Statement<Value>, identity: Identity = .none
    ) async throws(PostgresError) -> Value? {
        try await result(of: statement.query, identity, statement.tier, statement.mode).first(as: Value.self)
    }

    /// Runs a statement and tells how many rows it touched. Throws as `rows` does.
    @discardableResult
    nonisolated(nonsending) package func execute(
        _ statement: Statement<Void>, identity: Identity = .none
    ) async throws(PostgresError) -> Int {
        try await result(of: statement.query, identity, statement.tier, statement.mode).rowsAffected
    }

    /// Runs several statements in one transaction and one round trip. The longest of their limits holds for all together;
    /// they only read, or go to a replica, if each of them may. Throws as `rows` does; nothing is committed then.
    nonisolated(nonsending) package func batch<each Value>(
        _ statements: repeat Statement<each Value>, identity: Identity = .none
    ) async throws(PostgresError) -> (repeat StatementResult<each Value>) {
        var queries: [Query] = []
        var tier = TimeoutTier(limit: .zero)
        var mode = TransactionMode.replica
        repeat queries.append((each statements).query)
        repeat tier.extend(to: (each statements).tier)
        repeat mode.allow((each statements).mode)
        let results = StatementResults(try await batch(queries, identity: identity, tier: tier, mode: mode))
        return try (repeat results.next(for: each statements))
    }

    /// The columns that a statement's rows have. The server parses and checks it as it would before running it, and does
    /// not run it. Throws as `rows` does.
    nonisolated(nonsending) package func columns<Value>(
        of statement: Statement<Value>
    ) async throws(PostgresError) -> [ResultColumn] {
        try await withSession(.none, statement.tier, .readOnly, for: [statement.query]) { session in
            do throws(PostgresError) {
                let answer = try await session.run(.description(statement.query), begins: false, commits: false)
                return Result<[ResultColumn], PostgresError>.success(answer.results.last?.columns ?? [])
            } catch {
                return .failure(error)
            }
        }.get()
    }
}

extension Transaction {
    /// The rows of a statement.
    nonisolated(nonsending) package func rows<Value: RowDecodable>(
        _ statement: Statement<Value>
    ) async throws(PostgresError) -> [Value] {
        try await rows(statement.query, as: Value.self)
    }

    /// The first row of a statement, or `nil` if it has none.
    nonisolated(nonsending) package func first<Value: RowDecodable>(
        _ statement: Statement<Value>
    ) async throws(PostgresError) -> Value? {
        try await first(statement.query, as: Value.self)
    }

    /// Runs a statement and tells how many rows it touched.
    @discardableResult
    nonisolated(nonsending) package func execute(_ statement: Statement<Void>) async throws(PostgresError) -> Int {
        try await execute(statement.query)
    }

    /// Runs several statements in one round trip.
    nonisolated(nonsending) package func batch<each Value>(
        _ statements: repeat Statement<each Value>
    ) async throws(PostgresError) -> (repeat StatementResult<each Value>) {
        var queries: [Query] = []
        repeat queries.append((each statements).query)
        let results = StatementResults(try await batch(queries))
        return try (repeat results.next(for: each statements))
    }
}

/// The results of a batch, handed out in the order of its statements.
private final class StatementResults {
    private var rest: ArraySlice<QueryResult>

    init(_ results: [QueryResult]) { rest = results[...] }

    func next<Value>(for statement: Statement<Value>) throws(PostgresError) -> StatementResult<Value> {
        guard let result = rest.popFirst() else {
            throw PostgresError(.decoding, "The server gave no result for a statement.")
        }
        return StatementResult(result: result)
    }
}

extension TimeoutTier {
    fileprivate mutating func extend(to other: TimeoutTier) {
        if other.limit > limit { self = other }
    }
}

extension TransactionMode {
    /// Takes back what another statement does not allow.
    fileprivate mutating func allow(_ other: TransactionMode) {
        isReadOnly = isReadOnly && other.isReadOnly
        mayLag = mayLag && other.mayLag
    }
}
