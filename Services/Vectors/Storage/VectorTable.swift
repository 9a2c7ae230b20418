internal import Postgres

/// A table of its own for vectors of one kind, beside those of collections: what tells it from the others.
protocol VectorTable: Sendable {
    /// Its name, with the schema.
    static var name: Query { get }
    static var dimension: Int { get }
    static var form: DocumentTable.Form { get }
}

/// Which drugs do what to each other, as texts with their 384-d embeddings.
enum DrugInteractionVectors: VectorTable {
    static let name: Query = "vectors.vector_drug_interactions"
    static let dimension = 384
    static let form = DocumentTable.Form.text
}

/// Which symptoms belong to which conditions.
enum SymptomConditionVectors: VectorTable {
    static let name: Query = "vectors.vector_symptoms_conditions"
    static let dimension = 384
    static let form = DocumentTable.Form.text
}

/// The texts that ChromaDB held.
enum MedicalTextVectors: VectorTable {
    static let name: Query = "vectors.medical_text_768"
    static let dimension = 768
    static let form = DocumentTable.Form.float32
}

/// The images that ChromaDB held; the content says what each shows.
enum MedicalImageVectors: VectorTable {
    static let name: Query = "vectors.medical_images_1152"
    static let dimension = 1_152
    static let form = DocumentTable.Form.float32
}

/// What a person told the assistant, found again by meaning. In four hash partitions, by person.
enum UserMemoryVectors: VectorTable {
    static let name: Query = "vectors.vector_user_memories"
    static let dimension = 384
    static let form = DocumentTable.Form.text
}

extension VectorTable {
    /// What a row keeps of `new.embedding`, an element of `array(of:)`. The textual columns are `vector(384)` where the database has
    /// pgvector; the function makes whichever it is.
    static var storedEmbedding: Query {
        switch form {
        case .text: "vectors.embedding(new.embedding)"
        case .float32: "new.embedding"
        }
    }

    /// The column as `embedding(from:)` reads it.
    static var readEmbedding: Query {
        switch form {
        case .text: "embedding::text AS embedding"
        case .float32: "embedding"
        }
    }

    /// Embeddings as an array for `unnest`.
    static func array(of embeddings: [VectorEmbedding<Self>]) -> Query {
        switch form {
        case .text: "\(embeddings.map { EmbeddingText.encode($0.components) })"
        case .float32: "\(embeddings.map { EmbeddingBytes.encode($0.components) })"
        }
    }

    static func embedding(from row: Row) throws(PostgresError) -> VectorEmbedding<Self> {
        let components =
            switch form {
            case .text: EmbeddingText.decode(try row.decode("embedding", as: String.self))
            case .float32: EmbeddingBytes.decode(try row.decode("embedding", as: [UInt8].self))
            }
        guard let components, components.count == dimension else {
            throw PostgresError(.decoding, "Column “embedding” does not hold a vector of \(dimension) components.")
        }
        return VectorEmbedding(kept: components)
    }
}
