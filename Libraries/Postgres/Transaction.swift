internal import Synchronization
internal import Time

/// Statements that take effect together or not at all. Lent by `Postgres.transaction`, and of no use after it.
///
/// BEGIN and the identity travel with the first statement. After an error of one statement the server refuses the others
/// until the transaction is rolled back, which happens when the body throws; a body that hides the error and returns
/// gets it back in place of a commit.
package final class Transaction: Sendable {
    private let session: Session
    private let phase = Mutex(Phase.fresh)

    enum Phase {
        case fresh
        /// BEGIN is on its way with one task's statement. The others wait: what reached the server before it would run by itself.
        case beginning(waiting: [CheckedContinuation<Void, Never>])
        case open
        /// The first statement failed, so that the server rolls back or never began.
        case refused
        case ended

        /// The first to enter begins.
        mutating func enter() -> Phase {
            defer { if case .fresh = self { self = .beginning(waiting: []) } }
            return self
        }

        func resumeWaiting() {
            guard case .beginning(let waiting) = self else { return }
            for continuation in waiting { continuation.resume() }
        }
    }

    init(_ session: Session) {
        self.session = session
    }

    /// Whom it works for.
    var identity: Identity { session.identity }
    /// In how many transactions it is.
    var depth: Int { session.savepoint?.depth ?? 0 }

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

    /// Begins it, if nothing has.
    nonisolated(nonsending) func begin() async throws(PostgresError) {
        let isFresh = phase.withLock { phase in
            if case .fresh = phase { true } else { false }
        }
        if isFresh { _ = try await run(.statements([])) }
    }

    /// - Parameter deadline: an earlier one than the session's.
    nonisolated(nonsending) func run(
        _ body: Exchange.Body, by deadline: Deadline? = nil, isCancellable: Bool = true
    ) async throws(PostgresError) -> [QueryResult] {
        var session = session
        if let deadline { session.deadline = min(session.deadline, deadline) }
        guard try await begins() else {
            return try await session.run(body, begins: false, commits: false, isCancellable: isCancellable).results
        }
        do throws(PostgresError) {
            let results = try await session.run(body, begins: true, commits: false, isCancellable: isCancellable).results
            begun(.open)
            return results
        } catch {
            begun(.refused)
            throw error
        }
    }

    /// A session whose transaction is a part of this one.
    func part(_ identity: Identity, until deadline: Deadline, _ mode: TransactionMode) -> Session {
        Session(
            connection: session.connection, deadline: min(session.deadline, deadline), mode: mode, identity: identity, observer: nil,
            waited: .zero, savepoint: Savepoint(in: self))
    }

    /// Whether the caller's exchange begins the transaction, and has to call `begun` after it.
    private nonisolated(nonsending) func begins() async throws(PostgresError) -> Bool {
        while true {
            switch phase.withLock({ $0.enter() }) {
            case .fresh: return true
            case .open: return false
            case .refused: throw .rolledBack
            case .ended: throw PostgresError(.other("25000"), "The transaction has ended and takes no more statements.")
            case .beginning: await theBeginning()
            }
        }
    }

    private nonisolated(nonsending) func theBeginning() async {
        await withCheckedContinuation { continuation in
            let isOver = phase.withLock { phase in
                guard case .beginning(let waiting) = phase else { return true }
                phase = .beginning(waiting: waiting + [continuation])
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func begun(_ next: Phase) {
        let was = phase.withLock { phase in
            defer { if case .beginning = phase { phase = next } }
            return phase
        }
        was.resumeWaiting()
    }

    /// Commits if there is anything to commit and the deadline has not passed. Not stopped by cancellation once it is
    /// sent: the outcome is worth the round trip.
    nonisolated(nonsending) func commit() async throws(PostgresError) {
        switch end() {
        case .fresh, .ended: return
        case .refused: throw .rolledBack
        case .beginning, .open: break
        }
        let tag = try await session.run(.statements([]), begins: false, commits: true, isCancellable: false).tag
        guard tag == "COMMIT" else { throw .rolledBack }
    }

    /// Takes no more statements, and tells how far it had come.
    @discardableResult
    func end() -> Phase {
        let was = phase.withLock { phase in
            defer { phase = .ended }
            return phase
        }
        was.resumeWaiting()
        return was
    }
}

extension PostgresError {
    fileprivate static var rolledBack: PostgresError {
        PostgresError(
            .other("25P02"), "The transaction was rolled back, because one of its statements had failed.", sqlState: "25P02")
    }
}
