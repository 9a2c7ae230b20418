internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension MemoryRepository {
    /// The best by words first.
    func search(_ search: MemorySearch, of user: UUID) async throws(PostgresError) -> MemoryFindings {
        let (moment, found) = try await postgres.batch(.moment(of: search), .search(search, of: user), identity: .user(user))
        return try MemoryFindings(memories: found.rows(), moment: moment)
    }
}

extension MemoryFindings {
    init(memories: [FoundMemory], moment: StatementResult<Scalar<Instant>>) throws(PostgresError) {
        guard let read = try moment.first() else { throw PostgresError(.decoding, "The moment of a search could not be read.") }
        self.init(memories: memories, moment: read.value)
    }
}

extension Statement<Scalar<Instant>> {
    /// Of when a search is to find what was current: that which it names, or else now, by the database's clock.
    static func moment(of search: MemorySearch) -> Self {
        .reading("SELECT coalesce(\(search.moment)::timestamptz, transaction_timestamp())")
    }
}

extension Statement<FoundMemory> {
    static func search(_ search: MemorySearch, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(FoundMemory.columns) FROM \(search.ranked(of: user, only: "search @@ query"))
            ORDER BY score DESC, id DESC LIMIT \(search.limit)
            """)
    }

    static func found(_ ids: [UUID], by search: MemorySearch, of user: UUID) -> Self {
        .reading("SELECT \(FoundMemory.columns) FROM \(search.ranked(of: user, only: "id = ANY(\(ids))"))")
    }
}

extension Statement<EmbeddedMemory> {
    static func embedded(_ search: MemorySearch, of user: UUID) -> Self {
        .reading(
            """
            SELECT id, embedding FROM chat.patient_memories
            WHERE user_id = \(user) AND embedding_model = \(MemoryModel.id) AND \(search.isPassed) ORDER BY id DESC
            """)
    }
}

extension MemorySearch {
    /// Whether a row is one that may be found.
    fileprivate var isPassed: Query {
        let ofCategories: Query = categories.isEmpty ? "" : "AND category = ANY(\(categories.map(\.rawValue)))"
        let ofImportance: Query = if let leastImportance { "AND importance >= \(leastImportance)" } else { "" }
        return "\(Memory.isCurrent(at: moment)) \(ofCategories) \(ofImportance)"
    }

    /// Memories with their relevance and recency. Half of the latter is gone after 180 days; more than a thousand halvings are none that a number
    /// could hold.
    fileprivate func ranked(of user: UUID, only condition: Query) -> Query {
        """
        (
            SELECT \(Memory.columns), ts_rank(search, query, 32)::float8 AS relevance,
                   0.5::float8 ^ least(1000, greatest(0, extract(epoch FROM
                       coalesce(\(moment)::timestamptz, transaction_timestamp()) - created_at) / (180 * 86400)))::float8 AS recency
            FROM chat.patient_memories, websearch_to_tsquery('english', \(words.query)) AS query
            WHERE user_id = \(user) AND \(condition) AND \(isPassed)
        ) AS ranked
        """
    }
}

extension FoundMemory: RowDecodable {
    /// The columns that the initialiser reads, of what a search has ranked.
    static let columns: Query =
        "\(Memory.columns), relevance, recency, relevance * (1 + recency) / 2 * (1 + importance::float8) / 2 AS score"

    init(row: Row) throws(PostgresError) {
        memory = try Memory(row: row)
        score = try row.decode("score")
        relevance = try row.decode("relevance")
        recency = try row.decode("recency")
    }
}

extension EmbeddedMemory: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        embedding = try row.decode("embedding")
        guard embedding.count == MemoryEmbedding.byteCount else {
            throw PostgresError(.decoding, "Column “embedding” does not hold what memories are compared by.")
        }
    }
}
