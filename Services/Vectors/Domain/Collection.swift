internal import Application
internal import FoundationEssentials
internal import HNSW
internal import Time

/// What a collection is called: lower-case letters, digits and underscores, a letter first.
struct CollectionName: Hashable, Sendable {
    static let maxCharacters = 63

    // The collections that the schema brings; each has a table of its own.
    static let medicalKnowledge = CollectionName(kept: "medical_knowledge")
    static let drugInteractions = CollectionName(kept: "drug_interactions")
    static let symptomsConditions = CollectionName(kept: "symptoms_conditions")
    static let medicalTexts = CollectionName(kept: "medical_text_768")
    static let medicalImages = CollectionName(kept: "medical_images_1152")
    /// The table of what is remembered of people, which is no collection.
    static let userMemories = CollectionName(kept: "vector_user_memories")

    let text: String

    init(_ text: String) throws(InvalidValue) {
        let isWellFormed =
            (1...Self.maxCharacters).contains(text.utf8.count)
            && (text.utf8.first.map(Self.isLetter) ?? false)
            && text.utf8.allSatisfy { Self.isLetter($0) || Self.isDigitOrUnderscore($0) }
        guard isWellFormed else {
            throw InvalidValue(
                sentence:
                    "It must have 1 to \(Self.maxCharacters) lower-case letters, digits and underscores, a letter first.")
        }
        self.text = text
    }

    /// A name for a collection or an alias that is to be made.
    init(new text: String) throws(InvalidValue) {
        try self.init(text)
        guard self != .userMemories else {
            throw InvalidValue(sentence: "It is that of the table of people's memories, which heartguard.vectors.v1.MemoriesService has.")
        }
    }

    /// A name that the table holds, so that it was checked when it came.
    init(kept text: String) { self.text = text }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigitOrUnderscore(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
}

/// Names the model that made an embedding.
struct ModelID: Hashable, Sendable {
    static let maxCharacters = 200

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount), !text.hasNUL else {
            throw InvalidValue(sentence: "It must have 1 to \(Self.maxCharacters) characters.")
        }
        self.text = text
    }

    init(kept text: String) { self.text = text }
}

/// Where embeddings can be compared with each other. A collection's is pinned when it is made.
struct EmbeddingSpace: Hashable, Sendable {
    static let dimensions = 1...4_096

    let model: ModelID
    let dimension: Int
    let metric: Metric
}

/// A set of documents whose embeddings are in one space.
struct Collection: Hashable, Sendable {
    let id: UUID
    let name: CollectionName
    let space: EmbeddingSpace
    let documentCount: Int64
    /// Grows with every change. A replica that has seen a position has seen every change up to it.
    let position: Int64
    let createdAt: Instant
}
