internal import Synchronization
internal import Time

/// The place in a transaction up to which one that is part of it can be taken back alone. It travels with the first statement, and its
/// release with the last, so being part of another costs a transaction no round trip.
///
/// The part works for its own identity, and what follows it for that of the whole again.
final class Savepoint: Sendable {
    private let whole: Transaction
    private let isSet = Mutex(false)
    /// In how many transactions the part is.
    let depth: Int

    init(in whole: Transaction) {
        self.whole = whole
        depth = whole.depth + 1
    }

    /// Runs statements of the part: the savepoint goes first if it begins with them, and its release last if it ends with them.
    nonisolated(nonsending) func run(
        _ body: Exchange.Body, of part: Session, begins: Bool, commits: Bool, isCancellable: Bool
    ) async throws(PostgresError) -> Session.Answer {
        guard case .statements(let queries) = body else {
            return Session.Answer(results: try await whole.run(body, by: part.deadline, isCancellable: isCancellable), tag: "")
        }
        var all: [Query] = []
        if begins {
            try await whole.begin()
            isSet.withLock { $0 = true }
            all.append(Query(sql: "SAVEPOINT part_\(depth)"))
            if let settings = part.identity.settings(after: whole.identity) { all.append(settings) }
        }
        let place = all.count
        all += queries
        if commits {
            if let settings = whole.identity.settings(after: part.identity) { all.append(settings) }
            all.append(Query(sql: "RELEASE SAVEPOINT part_\(depth)"))
        }
        let results: [QueryResult]
        do throws(PostgresError) {
            results = try await whole.run(.statements(all), by: part.deadline, isCancellable: isCancellable)
        } catch {
            // There is nothing to go back to, and the whole is as it was.
            if begins && error.isUnsent { isSet.withLock { $0 = false } }
            throw error
        }
        if commits { isSet.withLock { $0 = false } }
        return Session.Answer(results: Array(results[place..<place + queries.count]), tag: commits ? "COMMIT" : "")
    }

    /// Takes the part back unless it was released. What of that fails, the whole fails of: the server commits no transaction with an error in it.
    nonisolated(nonsending) func settle() async {
        guard isSet.withLock({ $0 }) else { return }
        // As a script, since after an error the server takes nothing before the ROLLBACK, not even a time limit.
        _ = try? await whole.run(
            .script("ROLLBACK TO SAVEPOINT part_\(depth); RELEASE SAVEPOINT part_\(depth)"), isCancellable: false)
    }
}

extension Identity {
    /// What sets this identity where another was set; `nil` where that is the same.
    fileprivate func settings(after other: Identity) -> Query? {
        guard self != other else { return nil }
        let names = Set(settings.map(\.name))
        // A setting of a transaction cannot be unset, and means nothing when it is empty.
        let gone = other.settings.filter { !names.contains($0.name) }.map { ($0.name, "") }
        return Identity(settings.map { ($0.name, $0.value) } + gone).preamble(milliseconds: nil, refusesWrites: false)
    }
}
