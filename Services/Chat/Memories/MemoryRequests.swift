internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

// What the requests must hold: each `parsed()` returns domain values, or throws INVALID_ARGUMENT naming every field
// that breaks a rule.

extension ChatV1.RememberRequest {
    func parsed() throws(RPCError) -> NewMemory {
        var violations = FieldViolations()
        let clientID = violations.value("client_id", clientId, ClientID.init(_:))
        let category = violations.value("category", self.category, MemoryCategory.init(_:))
        let content = violations.value("content", self.content, MemoryContent.init(_:))
        let importance = violations.value("importance", self.importance ?? Share.half.value, Share.init(_:))
        let metadata = violations.value("metadata", self.metadata, MessageMetadata.init(_:))
        let session = violations.optional("source_session_id", sourceSessionId, UUID.init(parsing:))
        let message = violations.optional("source_message_id", sourceMessageId, UUID.init(parsing:))
        let supersedes = violations.optional("supersedes", self.supersedes, UUID.init(parsing:))
        let expiresAt = violations.optional("expires_at", self.expiresAt) { given throws(InvalidValue) in
            let instant = try Instant(checking: given)
            guard instant > .now() else { throw InvalidValue(sentence: "It must be in the future.") }
            return instant
        }
        let embedding = violations.memoryEmbedding(self.embedding, by: modelId)
        let (known, about, said, weight, notes) = try violations.complete(clientID, category, content, importance, metadata)
        return NewMemory(
            clientID: known, category: about, content: said, importance: weight, metadata: notes, sourceSession: session,
            sourceMessage: message, expiresAt: expiresAt, supersedes: supersedes, embedding: embedding)
    }
}

extension ChatV1.ListMemoriesRequest {
    func parsed() throws(RPCError) -> MemoryList {
        var violations = FieldViolations()
        let category = violations.optional("category", self.category == .unspecified ? nil : self.category, MemoryCategory.init(_:))
        let moment = violations.optional("as_of", asOf, Instant.init(checking:))
        violations.check(!includeHistory || asOf == nil, "include_history", "It cannot be asked for together with as_of.")
        let size = violations.pageSize(pageSize, usual: 50, most: 100)
        let limit = try violations.complete(size)
        var list = MemoryList(scope: includeHistory ? .all : .current(moment), category: category, limit: limit)
        list.place = try PageToken.id(pageToken, of: list.query)
        return list
    }
}

extension ChatV1.SearchMemoriesRequest {
    func parsed() throws(RPCError) -> MemorySearch {
        var violations = FieldViolations()
        let embedding = violations.memoryEmbedding(self.embedding, by: modelId)
        let words = query.isEmpty && !self.embedding.isEmpty ? SearchWords.none : violations.value("query", query, SearchWords.init(_:))
        violations.check(categories.count <= 9, "categories", "There are 9 of them.")
        let categories = self.categories.prefix(9).enumerated().compactMap { place, category in
            violations.value("categories[\(place)]", category, MemoryCategory.init(_:))
        }
        let least = violations.value("least_importance", leastImportance, Share.init(_:))
        let moment = violations.optional("as_of", asOf, Instant.init(checking:))
        let limit = violations.value("limit", limit) { limit throws(InvalidValue) in
            guard (0...100).contains(limit) else { throw InvalidValue(sentence: "It must be 1 to 100, or 0 for 10.") }
            return limit == 0 ? 10 : Int(limit)
        }
        let (asked, share, most) = try violations.complete(words, least, limit)
        return MemorySearch(
            words: asked, embedding: embedding, categories: categories, leastImportance: share.thousandths > 0 ? share : nil, moment: moment, limit: most)
    }
}

extension ChatV1.ListMemoryHistoryRequest {
    func parsed() throws(RPCError) -> (id: UUID, size: Int, place: (at: Instant, id: UUID)?) {
        var violations = FieldViolations()
        let id = violations.value("memory_id", memoryId, UUID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 100, most: 100)
        let (memory, limit) = try violations.complete(id, size)
        return (memory, limit, try PageToken.place(pageToken, of: Self.query(memory)))
    }

    /// What a page's token is of.
    static func query(_ memory: UUID) -> [String] { ["memory history", memory.text] }
}

extension ChatV1.ForgetMemoriesRequest {
    func parsed() throws(RPCError) -> [UUID] {
        var violations = FieldViolations()
        violations.check((1...100).contains(memoryIds.count), "memory_ids", "There must be 1 to 100 of them; there are \(memoryIds.count).")
        let ids = memoryIds.prefix(100).enumerated().compactMap { place, id in
            violations.value("memory_ids[\(place)]", id, UUID.init(parsing:))
        }
        try violations.throwIfAny()
        return ids
    }
}
