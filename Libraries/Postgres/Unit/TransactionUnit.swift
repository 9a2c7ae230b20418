internal import Synchronization
internal import Time

/// A transaction that all joins which its task asks of one database: each call is a part of it, which can fail and be taken back alone, and
/// sees what the parts before it have done.
final class TransactionUnit: UnitOfWork {
    private let postgres: Postgres
    private let state = Mutex(State())

    private struct State {
        /// The outermost first, each within the one before.
        var transactions: [Transaction] = []
        var actions: [@Sendable (UnitOutcome) async throws -> Void] = []
    }

    init(_ postgres: Postgres) { self.postgres = postgres }

    /// The unit of the current task, if it is of this database.
    static func current(of postgres: Postgres) -> TransactionUnit? {
        guard let unit = CurrentTask.unit as? TransactionUnit, unit.postgres === postgres else { return nil }
        return unit
    }

    /// What a call of the current task is part of.
    static func transaction(of postgres: Postgres) -> Transaction? {
        current(of: postgres)?.state.withLock { $0.transactions.last }
    }

    func enter(_ transaction: Transaction) { state.withLock { $0.transactions.append(transaction) } }

    func leave(_ transaction: Transaction) { state.withLock { $0.transactions.removeAll { $0 === transaction } } }

    func atEnd(_ action: @escaping @Sendable (_ outcome: UnitOutcome) async throws -> Void) {
        state.withLock { $0.actions.append(action) }
    }

    /// Does what was to be done at the end, and tells what went wrong first.
    func end(_ outcome: UnitOutcome) async -> (any Error)? {
        let actions = state.withLock { state in
            defer { state.actions = [] }
            return state.actions
        }
        var failure: (any Error)?
        for action in actions {
            do { try await action(outcome) } catch { failure = failure ?? error }
        }
        return failure
    }
}

extension Postgres {
    /// Does work of one task as one transaction, which everything joins that the work asks of this database, at any depth: its statements and
    /// transactions become parts of this one, in the isolation of READ COMMITTED and on the primary, each with its own identity; what a part
    /// that throws has done is taken back, and the rest goes on. All of it is committed when `body` returns and nothing when it throws.
    ///
    /// Parts follow each other: the work leaves nothing running beside itself that asks this database, and the server says so where it does.
    /// What others are told of the changes waits for `CurrentTask.afterCommit`, and this method for that.
    ///
    /// - Parameter body: gets the transaction itself, for what is no part.
    /// - Throws: as `transaction` does; what fails of what waited for the commit, and then all is committed.
    package func unit<Value: Sendable>(
        identity: Identity = .none, tier: TimeoutTier = .fast, file: String = #fileID, line: Int = #line,
        _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        precondition(TransactionUnit.current(of: self) == nil, "a unit is no part of another")
        let unit = TransactionUnit(self)
        let value: Value
        do {
            value = try await transaction(identity: identity, tier: tier, file: file, line: line) { transaction in
                unit.enter(transaction)
                defer { unit.leave(transaction) }
                return try await CurrentTask.$unit.withValue(unit) { try await body(transaction) }
            }
        } catch {
            _ = await unit.end((error as? PostgresError)?.code == .outcomeUnknown ? .unknown : .undone)
            throw error
        }
        if let failure = await unit.end(.committed) { throw failure }
        return value
    }
}
