internal import Postgres

/// Where a collection's documents are kept: medical_knowledge in a table of its own, the others in one together.
///
/// The tables differ in their key and in the form of an embedding; this type is the only one that knows.
struct DocumentTable: Sendable {
    /// How an embedding is written in its column.
    enum Form: Sendable {
        /// pgvector's textual form, so that a later upgrade of the column to `vector(n)` is a cast.
        case text
        /// Little-endian float32.
        case float32
    }

    /// The only dimension that `vectors.vector_medical_knowledge` is for.
    static let medicalKnowledgeDimension = 384

    let name: Query
    let form: Form
    /// Which of the table's rows are the collection's.
    let scope: Query
    /// The columns of the key before `id`, each with a comma behind it, and their values.
    let keyColumns: Query
    let keyValues: Query
    /// What stands in the embedding's place in a tombstone.
    let noEmbedding: Query
    /// What a row keeps of `new.embedding`, an element of `array(of:)`. The column is `vector(384)` where the database has
    /// pgvector and text elsewhere; the function makes whichever it is.
    let storedEmbedding: Query
    /// The column as `embedding(from:)` reads it.
    let readEmbedding: Query

    init(of collection: Collection) {
        if collection.name == .medicalKnowledge {
            name = "vectors.vector_medical_knowledge"
            form = .text
            scope = "true"
            keyColumns = ""
            keyValues = ""
            noEmbedding = "NULL"
            storedEmbedding = "vectors.embedding(new.embedding)"
            readEmbedding = "embedding::text AS embedding"
        } else {
            name = "vectors.documents"
            form = .float32
            scope = "collection_id = \(collection.id)"
            keyColumns = "collection_id, "
            keyValues = "\(collection.id), "
            noEmbedding = "''"
            storedEmbedding = "new.embedding"
            readEmbedding = "embedding"
        }
    }

    /// The embeddings as an array for `unnest`.
    func array(of embeddings: [Embedding]) -> Query {
        switch form {
        case .text: "\(embeddings.map { EmbeddingText.encode($0.components) })"
        case .float32: "\(embeddings.map { EmbeddingBytes.encode($0.components) })"
        }
    }

    /// Reads the column `embedding` of a row that is no tombstone.
    func embedding(from row: Row) throws(PostgresError) -> [Float] {
        let components =
            switch form {
            case .text: EmbeddingText.decode(try row.decode("embedding", as: String.self))
            case .float32: EmbeddingBytes.decode(try row.decode("embedding", as: [UInt8].self))
            }
        guard let components else { throw PostgresError(.decoding, "Column “embedding” does not hold a vector.") }
        return components
    }
}
