internal import FoundationEssentials
internal import Postgres
internal import Time

/// The aliases in `vectors.aliases`.
///
/// A write by an alias takes the lock of the collection and reads where the alias leads behind it. Whoever lets an alias lead elsewhere
/// holds that lock until the commit, so each write is either before the change, in the collection before, or refused.
struct AliasRepository: Sendable {
    let postgres: Postgres

    /// What a name breaks that an alias and a collection would have both.
    static let namesAreApart = "names_are_apart"

    func find(_ name: CollectionName) async throws(PostgresError) -> CollectionAlias? {
        try await postgres.first(.find(alias: name))
    }

    /// All aliases, by name.
    func list() async throws(PostgresError) -> [CollectionAlias] {
        try await postgres.rows(.aliases)
    }

    /// The new alias, or the one that has the name already, wherever it leads.
    ///
    /// - Throws: `.nameIsACollections`, and `.collectionNotFound` if the collection is there no more.
    func create(
        _ name: CollectionName, for collection: Collection
    ) async throws -> (alias: CollectionAlias, isNew: Bool) {
        do {
            return try await postgres.transaction { transaction in
                let isNew = try await transaction.first(.create(alias: name, for: collection)) != nil
                // The insertion waited for whoever made the other one, so this statement sees it.
                guard let alias = try await transaction.first(.find(alias: name)) else { throw VectorsError.collectionNotFound }
                return (alias, isNew)
            }
        } catch let error as PostgresError where error.constraint == Self.namesAreApart {
            throw VectorsError.nameIsACollections
        }
    }

    /// Lets an alias lead to a collection, whose position goes above that of the one before. It stays as it is if it does so already.
    ///
    /// - Parameter copied: what the position of the collection before must be; `nil` lets it be any.
    func point(_ name: CollectionName, to collection: Collection, copied: Int64?) async throws -> CollectionAlias {
        try await postgres.transaction { transaction in
            guard try await transaction.first(.lock(alias: name)) != nil,
                let alias = try await transaction.first(.find(alias: name))
            else { throw VectorsError.aliasNotFound }
            guard alias.target.id != collection.id else { return alias }

            let locked = try await transaction.rows(.lockPositions(of: [alias.target.id, collection.id]))
            let positions = Dictionary(uniqueKeysWithValues: locked.map { ($0.id, $0.position) })
            guard let before = positions[alias.target.id], let now = positions[collection.id] else {
                throw VectorsError.collectionNotFound
            }
            if let copied, copied != before { throw VectorsError.changedSinceCopied(before) }
            let position = max(before, now) + 1
            _ = try await transaction.first(.advance(collection, to: position))
            _ = try await transaction.first(.point(name, to: collection, from: alias.target.id, at: position))
            guard let changed = try await transaction.first(.find(alias: name)) else { throw VectorsError.aliasNotFound }
            return changed
        }
    }

    /// Whether there was one.
    func delete(_ name: CollectionName) async throws(PostgresError) -> Bool {
        try await postgres.first(.delete(alias: name)) != nil
    }
}

/// A collection's position while its row is locked.
struct LockedPosition: Hashable, Sendable {
    let id: UUID
    let position: Int64
}

extension Statement<CollectionAlias> {
    static func find(alias name: CollectionName) -> Self {
        .reading("SELECT \(CollectionAlias.columns) FROM \(CollectionAlias.tables) WHERE a.name = \(name.text)")
    }

    static var aliases: Self {
        .reading("SELECT \(CollectionAlias.columns) FROM \(CollectionAlias.tables) ORDER BY a.name COLLATE \"C\"")
    }
}

extension Statement<Scalar<UUID>> {
    /// The collection that an alias leads to; no row without the alias.
    static func target(of alias: CollectionName) -> Self {
        .reading("SELECT collection_id FROM vectors.aliases WHERE name = \(alias.text)")
    }

    /// The same, and it stays so until the commit.
    static func lock(alias name: CollectionName) -> Self {
        .writing("SELECT collection_id FROM vectors.aliases WHERE name = \(name.text) FOR UPDATE")
    }

    /// No row if there is one with this name, or the collection is there no more.
    static func create(alias name: CollectionName, for collection: Collection) -> Self {
        .writing(
            """
            INSERT INTO vectors.aliases (name, collection_id, position)
            SELECT \(name.text), id, position FROM vectors.collections WHERE id = \(collection.id)
            ON CONFLICT ON CONSTRAINT aliases_pkey DO NOTHING
            RETURNING collection_id
            """)
    }

    static func point(
        _ name: CollectionName, to collection: Collection, from previous: UUID, at position: Int64
    ) -> Self {
        .writing(
            """
            UPDATE vectors.aliases SET collection_id = \(collection.id), previous_id = \(previous), position = \(position)
            WHERE name = \(name.text)
            RETURNING collection_id
            """)
    }

    static func advance(_ collection: Collection, to position: Int64) -> Self {
        .writing("UPDATE vectors.collections SET position = \(position) WHERE id = \(collection.id) RETURNING id")
    }

    static func delete(alias name: CollectionName) -> Self {
        .writing("DELETE FROM vectors.aliases WHERE name = \(name.text) RETURNING collection_id")
    }
}

extension Statement<LockedPosition> {
    /// In the order of the ids, as everybody takes several of these locks.
    static func lockPositions(of collections: [UUID]) -> Self {
        .writing("SELECT id, position FROM vectors.collections WHERE id = ANY(\(collections)) ORDER BY id FOR UPDATE")
    }
}

extension LockedPosition: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = try row.decode("id", as: UUID.self)
        position = try row.decode("position", as: Int64.self)
    }
}

extension CollectionAlias: RowDecodable {
    /// The columns that the initialiser reads, and what they are of.
    static let columns: Query = """
        a.name, a.position, a.created_at, a.updated_at, c.id, c.name AS collection, c.model_id,
        p.id AS previous_id, p.name AS previous, p.model_id AS previous_model_id
        """
    static let tables: Query = """
        vectors.aliases AS a JOIN vectors.collections AS c ON c.id = a.collection_id
        LEFT JOIN vectors.collections AS p ON p.id = a.previous_id
        """

    init(row: Row) throws(PostgresError) {
        name = CollectionName(kept: try row.decode("name", as: String.self))
        target = Target(
            id: try row.decode("id", as: UUID.self), name: CollectionName(kept: try row.decode("collection", as: String.self)),
            model: ModelID(kept: try row.decode("model_id", as: String.self)))
        if let id = try row.decode("previous_id", as: UUID?.self) {
            previous = Target(
                id: id, name: CollectionName(kept: try row.decode("previous", as: String.self)),
                model: ModelID(kept: try row.decode("previous_model_id", as: String.self)))
        } else {
            previous = nil
        }
        position = try row.decode("position", as: Int64.self)
        createdAt = try row.decode("created_at", as: Instant.self)
        updatedAt = try row.decode("updated_at", as: Instant.self)
    }
}
