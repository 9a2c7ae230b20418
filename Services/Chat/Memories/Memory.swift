internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What a memory is about. The raw value is what the table holds.
enum MemoryCategory: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
    case medicalHistory = "medical_history", medication, allergy, symptom, lifestyle, preference, goal, family, other
}

/// What is remembered.
struct MemoryContent: Hashable, Sendable {
    static let maxCharacters = 10_000

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount) else {
            throw InvalidValue(sentence: "It must have 1 to 10,000 characters.")
        }
        self.text = try text.withoutNUL()
    }
}

/// A memory that is to be kept.
struct NewMemory: Hashable, Sendable {
    let clientID: ClientID
    let category: MemoryCategory
    let content: MemoryContent
    var importance = Share.half
    var metadata = MessageMetadata.none
    var sourceSession: UUID?
    var sourceMessage: UUID?
    var expiresAt: Instant?
    /// The one in whose place it comes.
    var supersedes: UUID?
    var embedding: MemoryEmbedding?
}

/// A memory as it is kept. Only its end is ever noted in it: what is found out later is another.
struct Memory: Hashable, Sendable {
    let id: UUID
    let category: MemoryCategory
    let content: String
    let importance: Share
    let metadata: MessageMetadata
    let sourceSession: UUID?
    let sourceMessage: UUID?
    let createdAt: Instant
    let expiresAt: Instant?
    let supersededAt: Instant?
    let supersededBy: UUID?
    /// The model that made its embedding; `nil` if it has none.
    let model: String?
}

/// A memory that a search found, and how.
struct FoundMemory: Hashable, Sendable {
    let memory: Memory
    var score: Double
    let relevance: Double
    let recency: Double
    var rankByWords: Int?
    var rankByMeaning: Int?
    var similarity: Double?
}

/// What a search found, the best first, and the moment as of which: the same search of that moment finds it again, but for what was forgotten since.
struct MemoryFindings: Hashable, Sendable {
    var memories: [FoundMemory]
    let moment: Instant
}

/// A memory that a search by meaning may find: its embedding, as `ExactCosine` compares it.
struct EmbeddedMemory: Hashable, Sendable {
    let id: UUID
    let embedding: [UInt8]
}

/// Which memories a list holds.
struct MemoryList: Hashable, Sendable {
    enum Scope: Hashable, Sendable {
        /// Those that are current, or were at that moment.
        case current(Instant?)
        case all
    }

    var scope = Scope.current(nil)
    var category: MemoryCategory?
    /// Those behind the one with this id.
    var place: UUID?
    var limit: Int

    /// What a page's token is of.
    var query: [String] {
        let scope =
            switch self.scope {
            case .all: "all"
            case .current(let moment): moment.map { "\($0.microsecondsSinceEpoch)" } ?? ""
            }
        return ["memories", scope, category?.rawValue ?? ""]
    }
}

/// What a search of memories asks for.
struct MemorySearch: Hashable, Sendable {
    var words = SearchWords.none
    var embedding: MemoryEmbedding?
    var categories: [MemoryCategory] = []
    var leastImportance: Share?
    var moment: Instant?
    var limit: Int
}

/// Words to search by: one of them is enough.
struct SearchWords: Hashable, Sendable {
    static let maxCharacters = 1_000
    /// Which nothing holds.
    static let none = SearchWords(query: "")

    /// As `websearch_to_tsquery` reads it: the words with `or` between them, and nothing that it takes for an operator.
    let query: String

    private init(query: String) { self.query = query }

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount) else {
            throw InvalidValue(sentence: "It must have 1 to 1,000 characters.")
        }
        query = try text.withoutNUL().split(whereSeparator: \.isWhitespace)
            .map { $0.filter { $0 != "\"" }.drop { $0 == "-" } }
            .filter { !$0.isEmpty && $0.lowercased() != "or" }
            .joined(separator: " or ")
    }
}
