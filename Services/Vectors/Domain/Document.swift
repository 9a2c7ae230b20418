internal import Application
internal import Filters

/// The caller's own id of a document. Two of them are the same if they are to the table: by their bytes.
struct DocumentID: Hashable, Sendable {
    static let maxCharacters = 256

    private let exact: ExactText
    var text: String { exact.text }

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount), !text.hasNUL else {
            throw InvalidValue(sentence: "It must have 1 to \(Self.maxCharacters) characters and no NUL among them.")
        }
        exact = ExactText(text)
    }

    init(kept text: String) { exact = ExactText(text) }
}

/// What a document says; it may be empty.
struct DocumentContent: Hashable, Sendable {
    static let maxBytes = 32 << 10

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard text.utf8.count <= Self.maxBytes else { throw InvalidValue(sentence: "It must have at most 32 KiB.") }
        self.text = try text.withoutNUL()
    }

    init(kept text: String) { self.text = text }
}

/// What is noted about a document, for filters.
struct DocumentMetadata: Hashable, Sendable {
    static let maxEntries = 64
    static let maxBytes = 8 << 10

    let entries: [String: MetadataValue]

    init(_ entries: [String: MetadataValue]) throws(InvalidValue) {
        guard entries.count <= Self.maxEntries else {
            throw InvalidValue(sentence: "It must have at most \(Self.maxEntries) entries.")
        }
        guard !entries.keys.contains("") else { throw InvalidValue(sentence: "No key may be empty.") }
        guard DocumentMetadata(kept: entries).byteCount <= Self.maxBytes else {
            throw InvalidValue(sentence: "Its keys and values together must have at most 8 KiB.")
        }
        guard !entries.contains(where: { $0.key.hasNUL || $0.value.hasNUL }) else {
            throw InvalidValue(sentence: "It must not hold a NUL character.")
        }
        self.entries = entries
    }

    init(kept entries: [String: MetadataValue]) { self.entries = entries }

    /// What its keys and values take.
    var byteCount: Int { entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.byteCount } }
}

extension MetadataValue {
    fileprivate var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .number, .time: 8
        case .boolean: 1
        }
    }

    fileprivate var hasNUL: Bool {
        if case .text(let text) = self { text.hasNUL } else { false }
    }
}

/// A document that is to be added or to replace the one with its id.
struct NewDocument: Hashable, Sendable {
    let id: DocumentID
    let content: DocumentContent
    let embedding: Embedding
    let metadata: DocumentMetadata
}

/// A document as its collection keeps it, without its embedding.
struct KeptDocument: Hashable, Sendable {
    let id: DocumentID
    let content: String
    let metadata: DocumentMetadata
    /// Of the change that wrote it.
    let version: RowVersion
}
