internal import Application
internal import FoundationEssentials
internal import HNSW
internal import Time

/// The caller's own id of a memory. Two of them are the same if they are to the table: by their bytes.
struct MemoryID: Hashable, Sendable {
    /// So that a page token, which holds an id, stays short.
    static let maxCharacters = 128

    private let exact: ExactText
    var text: String { exact.text }

    init(_ text: String) throws(InvalidValue) {
        let hasControls = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard (1...Self.maxCharacters).contains(text.codePointCount), !hasControls else {
            throw InvalidValue(sentence: "It must have 1 to \(Self.maxCharacters) characters, none of them a control character.")
        }
        exact = ExactText(text)
    }

    init(kept text: String) { exact = ExactText(text) }
}

/// What kind of memory one is, in the words of whoever keeps it.
struct MemoryType: Hashable, Sendable {
    static let maxCharacters = 64

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard text.utf8.count <= Self.maxCharacters, text.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil else {
            throw InvalidValue(
                sentence:
                    "It must have 1 to \(Self.maxCharacters) lower-case letters, digits and underscores, a letter first.")
        }
        self.text = text
    }

    init(kept text: String) { self.text = text }
}

/// How much a memory matters, from 0 to 1.
struct Importance: Hashable, Sendable {
    static let usual = Importance(kept: 0.5)

    let value: Double

    init(_ value: Double) throws(InvalidValue) {
        guard (0...1).contains(value) else { throw InvalidValue(sentence: "It must be 0 to 1.") }
        self.value = value
    }

    init(kept value: Double) { self.value = value }
}

extension EmbeddingSpace {
    /// Of every person's memories.
    static let memories = EmbeddingSpace(
        model: ModelID(kept: MemoryModel.id), dimension: MemoryModel.dimension, metric: .cosine)
}

/// What is noted about a memory, apart from its embedding.
struct MemoryNote: Hashable, Sendable {
    let id: MemoryID
    let content: DocumentContent
    var type: MemoryType
    var importance = Importance.usual
    var metadata = DocumentMetadata(kept: [:])
    /// From then on it is served to nobody; `nil` if it has no end.
    var expiresAt: Instant?
}

/// A memory that is to be kept, in place of the one with its id if there is one.
struct NewMemory: Hashable, Sendable {
    let note: MemoryNote
    let embedding: Embedding
}

/// A memory as it is kept.
struct KeptMemory: Hashable, Sendable {
    /// As many are compared in some milliseconds.
    static let mostOfOnePerson = 1_000

    let note: MemoryNote
    let createdAt: Instant
    let updatedAt: Instant
}
