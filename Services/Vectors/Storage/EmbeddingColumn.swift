internal import Postgres

/// How a table keeps embeddings.
enum EmbeddingColumn: Sendable {
    /// pgvector's textual form; the column is `vector(n)` where the database has pgvector and text elsewhere.
    case text
    /// Little-endian float32.
    case float32

    /// What a row keeps of `new.embedding`, an element of `array(of:)`. The function makes whichever type a textual column has.
    var stored: Query {
        switch self {
        case .text: "vectors.embedding(new.embedding)"
        case .float32: "new.embedding"
        }
    }

    /// The column as `components(from:)` reads it.
    var read: Query {
        switch self {
        case .text: "embedding::text AS embedding"
        case .float32: "embedding"
        }
    }

    /// The embeddings as an array for `unnest`.
    func array(of embeddings: [Embedding]) -> Query {
        switch self {
        case .text: "\(embeddings.map { EmbeddingText.encode($0.components) })"
        case .float32: "\(embeddings.map { EmbeddingBytes.encode($0.components) })"
        }
    }

    /// Reads the column `embedding` of a row that is no tombstone.
    func components(from row: Row) throws(PostgresError) -> [Float] {
        let components =
            switch self {
            case .text: EmbeddingText.decode(try row.decode("embedding", as: String.self))
            case .float32: EmbeddingBytes.decode(try row.decode("embedding", as: [UInt8].self))
            }
        guard let components else { throw PostgresError(.decoding, "Column “embedding” does not hold a vector.") }
        return components
    }
}
