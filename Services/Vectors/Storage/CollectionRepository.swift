internal import FoundationEssentials
internal import HNSW
internal import Postgres
internal import Time

/// The collections in `vectors.collections`.
struct CollectionRepository: Sendable {
    let postgres: Postgres

    /// The new collection, or the one that has the name already, whatever it is pinned to.
    ///
    /// - Throws: `.nameIsAnAliass`.
    func create(
        _ name: CollectionName, in space: EmbeddingSpace
    ) async throws -> (collection: Collection, isNew: Bool) {
        do {
            return try await postgres.transaction { transaction in
                let made = try await transaction.first(.create(UUIDv7.make(), name, in: space))
                if let made { return (made, true) }

                // The insertion waited for whoever made the other one, so this statement sees it.
                let kept = try await transaction.first(.find(name))
                guard let kept else { throw PostgresError(.decoding, "A collection that is there could not be read.") }
                return (kept, false)
            }
        } catch let error as PostgresError where error.constraint == AliasRepository.namesAreApart {
            throw VectorsError.nameIsAnAliass
        }
    }

    /// Removes a collection with its documents, which takes some seconds a million.
    ///
    /// - Returns: how many documents it had.
    /// - Throws: `.collectionNotFound`, and `.aliasesLeadTo` while one does.
    func delete(_ collection: Collection) async throws -> Int64 {
        do {
            return try await postgres.transaction(tier: .batch) { transaction in
                // These locks first, as everybody who takes one beside a collection's.
                let aliases = try await transaction.rows(.lockAliases(of: collection))
                let leading = aliases.filter(\.leadsThere).map(\.name)
                guard leading.isEmpty else { throw VectorsError.aliasesLeadTo(leading) }
                guard let count = try await transaction.first(.delete(collection)) else {
                    throw VectorsError.collectionNotFound
                }
                return count.value
            }
        } catch let error as PostgresError where error.constraint == "aliases_collection_id_fkey" {
            // One was made in between.
            throw VectorsError.aliasesLeadTo([])
        }
    }

    func find(_ name: CollectionName) async throws(PostgresError) -> Collection? {
        try await postgres.first(.find(name))
    }

    /// All collections, by name.
    func list() async throws(PostgresError) -> [Collection] {
        try await postgres.rows(.list)
    }
}

extension Statement<Collection> {
    /// No row if there is one with this name.
    static func create(_ id: UUID, _ name: CollectionName, in space: EmbeddingSpace) -> Self {
        .writing(
            """
            INSERT INTO vectors.collections (id, name, model_id, dimension, metric)
            VALUES (\(id), \(name.text), \(space.model.text), \(Int32(space.dimension)), \(space.metric.storedName))
            ON CONFLICT ON CONSTRAINT collections_name_key DO NOTHING
            RETURNING \(Collection.columns)
            """)
    }

    static func find(_ name: CollectionName) -> Self {
        .reading("SELECT \(Collection.columns) FROM vectors.collections WHERE name = \(name.text)")
    }

    static var list: Self {
        .reading("SELECT \(Collection.columns) FROM vectors.collections ORDER BY name COLLATE \"C\"")
    }
}

extension Statement<AliasOfCollection> {
    /// Which lead to a collection, or did before the last change. They stay so until the commit.
    static func lockAliases(of collection: Collection) -> Self {
        .writing(
            """
            SELECT name, collection_id = \(collection.id) AS leads_there FROM vectors.aliases
            WHERE collection_id = \(collection.id) OR previous_id = \(collection.id)
            ORDER BY name FOR UPDATE
            """)
    }
}

extension Statement<Scalar<Int64>> {
    /// How many documents it had; no row if it is not there.
    static func delete(_ collection: Collection) -> Self {
        .writing("DELETE FROM vectors.collections WHERE id = \(collection.id) RETURNING document_count", tier: .batch)
    }
}

/// An alias that knows a collection.
struct AliasOfCollection: Hashable, Sendable, RowDecodable {
    let name: CollectionName
    /// Whether it leads there now.
    let leadsThere: Bool

    init(row: Row) throws(PostgresError) {
        name = CollectionName(kept: try row.decode("name", as: String.self))
        leadsThere = try row.decode("leads_there", as: Bool.self)
    }
}

extension Collection: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, name, model_id, dimension, metric, document_count, position, created_at"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id", as: UUID.self)
        name = CollectionName(kept: try row.decode("name", as: String.self))
        space = EmbeddingSpace(
            model: ModelID(kept: try row.decode("model_id", as: String.self)),
            dimension: Int(try row.decode("dimension", as: Int32.self)),
            metric: try Metric(storedName: row.decode("metric", as: String.self)))
        documentCount = try row.decode("document_count", as: Int64.self)
        position = try row.decode("position", as: Int64.self)
        createdAt = try row.decode("created_at", as: Instant.self)
    }
}
