internal import Application
internal import Filters

/// What a search asks for, once it is known to fit its collection.
struct SearchQuery: Sendable {
    static let limits = 1...1_000
    static let usualLimit = 10
    static let maxEffort = 10_000

    let ranking: Ranking
    let limit: Int
    /// Only documents that pass; `nil` lets all pass.
    let filter: Filter?
    /// Candidates that the graph search keeps; `nil` leaves it to the service.
    let effort: Int?

    /// What puts the documents in order.
    enum Ranking: Sendable {
        case embedding(Embedding)
        case text(SearchText)
        case both(Embedding, SearchText, RankingWeights)
    }
}

/// Words to be found.
struct SearchText: Hashable, Sendable {
    static let maxBytes = 4 << 10

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard text.utf8.count <= Self.maxBytes else { throw InvalidValue(sentence: "It must have at most 4 KiB.") }
        self.text = try text.withoutNUL()
    }
}

/// How much each of two rankings counts.
struct RankingWeights: Hashable, Sendable {
    static let equal = RankingWeights(embedding: 1, text: 1)

    let embedding: Float
    let text: Float
}
