internal import Postgres

/// Where a collection's documents are kept: those that the schema brings have a table each, the others one together.
///
/// The tables differ in their key and in the form of an embedding; this type is the only one that knows.
struct DocumentTable: Sendable {
    let name: Query
    let embedding: EmbeddingColumn
    /// Which of the table's rows are the collection's.
    let scope: Query
    /// The columns of the key before `id`, each with a comma behind it, and their values.
    let keyColumns: Query
    let keyValues: Query
    /// What stands in the embedding's place in a tombstone.
    let noEmbedding: Query

    init(of collection: Collection) {
        if let own = Self.own[collection.name] {
            name = own.table
            embedding = own.embedding
            scope = "true"
            keyColumns = ""
            keyValues = ""
            noEmbedding = "NULL"
        } else {
            name = "vectors.documents"
            embedding = .float32
            scope = "collection_id = \(collection.id)"
            keyColumns = "collection_id, "
            keyValues = "\(collection.id), "
            noEmbedding = "''"
        }
    }

    /// The revision 20261129_seed_collections makes a collection of each.
    private static let own: [CollectionName: (table: Query, embedding: EmbeddingColumn)] = [
        .medicalKnowledge: ("vectors.vector_medical_knowledge", .text),
        .drugInteractions: ("vectors.vector_drug_interactions", .text),
        .symptomsConditions: ("vectors.vector_symptoms_conditions", .text),
        .medicalTexts: ("vectors.medical_text_768", .float32),
        .medicalImages: ("vectors.medical_images_1152", .float32),
    ]

    /// The names of the collections that have a table each.
    static var ownNames: Set<CollectionName> { Set(own.keys) }
}
