internal import FoundationEssentials
internal import HNSW
internal import Postgres
internal import Time

/// The collections in `vectors.collections`.
struct CollectionRepository: Sendable {
    let postgres: Postgres

    /// The new collection, or the one that has the name already, whatever it is pinned to.
    func create(
        _ name: CollectionName, in space: EmbeddingSpace
    ) async throws -> (collection: Collection, isNew: Bool) {
        try await postgres.transaction { transaction in
            let made = try await transaction.first(.create(UUIDv7.make(), name, in: space))
            if let made { return (made, true) }

            // The insertion waited for whoever made the other one, so this statement sees it.
            let kept = try await transaction.first(.find(name))
            guard let kept else { throw PostgresError(.decoding, "A collection that is there could not be read.") }
            return (kept, false)
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
