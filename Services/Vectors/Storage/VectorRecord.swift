internal import Application
internal import Filters
internal import Postgres
internal import Time

/// A vector as a table takes it: of the table's dimension, finite, and with a direction, since these tables compare by cosine.
struct VectorEmbedding<Table: VectorTable>: Hashable, Sendable {
    let components: [Float]

    init(_ components: [Float]) throws(InvalidValue) {
        guard components.count == Table.dimension else {
            throw InvalidValue(sentence: "It has \(components.count) components; the table's embeddings have \(Table.dimension).")
        }
        if let place = components.firstIndex(where: { !$0.isFinite }) {
            throw InvalidValue(sentence: "Component \(place) is not a finite number.")
        }
        guard components.contains(where: { $0 != 0 }) else {
            throw InvalidValue(sentence: "It has length zero, which has no direction to compare.")
        }
        self.components = components
    }

    init(kept components: [Float]) { self.components = components }
}

/// One row of a table of vectors that is nobody's in particular.
struct VectorRecord<Table: VectorTable>: Hashable, Sendable {
    let id: DocumentID
    let content: DocumentContent
    let embedding: VectorEmbedding<Table>
    var metadata = DocumentMetadata(kept: [:])
}

typealias DrugInteractionVector = VectorRecord<DrugInteractionVectors>
typealias SymptomConditionVector = VectorRecord<SymptomConditionVectors>
typealias MedicalTextVector = VectorRecord<MedicalTextVectors>
typealias MedicalImageVector = VectorRecord<MedicalImageVectors>

extension VectorRecord: RowDecodable {
    /// The columns that the initialiser reads.
    static var columns: Query { "id, content, \(Table.readEmbedding), metadata" }

    init(row: Row) throws(PostgresError) {
        id = DocumentID(kept: try row.decode("id", as: String.self))
        content = DocumentContent(kept: try row.decode("content", as: String.self))
        embedding = try Table.embedding(from: row)
        metadata = try MetadataJSON.decode(row.decode("metadata", as: JSONB.self))
    }
}

/// What a person told the assistant.
struct UserMemory: Hashable, Sendable {
    let id: DocumentID
    let content: DocumentContent
    let embedding: VectorEmbedding<UserMemoryVectors>
    var metadata = DocumentMetadata(kept: [:])
    /// From then on it is served to nobody; `nil` if it has no end.
    var expiresAt: Instant?
}

extension UserMemory: RowDecodable {
    /// Where the row keeps the end, in microseconds since 1970, among the metadata. The table has no column for it.
    static let expiryKey = "expires_at_us"
    /// The columns that the initialiser reads.
    static let columns: Query = "id, content, \(UserMemoryVectors.readEmbedding), metadata"

    init(row: Row) throws(PostgresError) {
        id = DocumentID(kept: try row.decode("id", as: String.self))
        content = DocumentContent(kept: try row.decode("content", as: String.self))
        embedding = try UserMemoryVectors.embedding(from: row)
        var entries = try MetadataJSON.decode(row.decode("metadata", as: JSONB.self)).entries
        if case .text(let text) = entries.removeValue(forKey: Self.expiryKey) {
            expiresAt = Int64(text).map(Instant.init(microsecondsSinceEpoch:))
        }
        metadata = DocumentMetadata(kept: entries)
    }

    /// What the column metadata keeps. An entry of the caller's never takes the place of the end.
    var storedMetadata: DocumentMetadata {
        var entries = metadata.entries
        entries[Self.expiryKey] = expiresAt.map { .text(String($0.microsecondsSinceEpoch)) }
        return DocumentMetadata(kept: entries)
    }
}
