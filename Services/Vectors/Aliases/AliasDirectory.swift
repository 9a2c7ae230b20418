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
        let alias = try await repository.find(name)
        take(alias, as: name, since: before)
        return alias
    }

    /// Takes in what the database has under a name. It counts whatever was known when it was asked, also where that is newer: a database that was set
    /// back has aliases of before. What has become known meanwhile counts if it is newer.
    private func take(_ alias: CollectionAlias?, as name: CollectionName, since before: CollectionAlias?) {
        aliases.withLock { aliases in
            if aliases[name] == before {
                aliases[name] = alias
            } else if let alias, let known = aliases[name], alias.isNewer(than: known) {
                aliases[name] = alias
            }
        }
    }

    /// Takes in what a change has made of an alias, unless something newer is known by now.
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
        let listed = Dictionary(uniqueKeysWithValues: try await repository.list().map { ($0.name, $0) })
        for name in Set(before.keys).union(listed.keys) { take(listed[name], as: name, since: before[name]) }
    }
}
