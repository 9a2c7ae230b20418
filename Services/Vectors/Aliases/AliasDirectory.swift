internal import Synchronization

/// Where aliases lead, as this replica knows it: as of the last time that it looked, or of what it was told since.
final class AliasDirectory: Sendable {
    private let repository: AliasRepository
    private let aliases = Mutex<[CollectionName: CollectionAlias]>([:])

    init(repository: AliasRepository) { self.repository = repository }

    func known(_ name: CollectionName) -> CollectionAlias? { aliases.withLock { $0[name] } }

    /// Asks the database.
    func find(_ name: CollectionName) async throws -> CollectionAlias? {
        let before = known(name)
        guard let alias = try await repository.find(name) else {
            aliases.withLock { if $0[name] == before { $0[name] = nil } }
            return nil
        }
        note(alias)
        return alias
    }

    /// Takes in what the database had, unless something newer is known by now.
    func note(_ alias: CollectionAlias) {
        aliases.withLock { known in
            if let other = known[alias.name], other.isNewer(than: alias) { return }
            known[alias.name] = alias
        }
    }

    func forget(_ name: CollectionName) { aliases.withLock { $0[name] = nil } }

    /// Reads all of them.
    func refresh() async throws {
        let before = aliases.withLock { $0 }
        let listed = try await repository.list()
        let names = Set(listed.map(\.name))
        for alias in listed { note(alias) }
        aliases.withLock { known in
            for (name, alias) in before where !names.contains(name) && known[name] == alias { known[name] = nil }
        }
    }
}
