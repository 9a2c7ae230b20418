internal import Application
internal import Contracts
internal import RPC
internal import Time

// What the requests must hold: each `parsed()` returns domain values, or throws INVALID_ARGUMENT naming every field that
// breaks a rule.

extension VectorsV1.UpsertMemoriesRequest {
    static let maxMemories = 100

    /// - Throws: `.otherModel` as well, when the model is not that of memories.
    func parsed() throws -> [NewMemory] {
        var violations = FieldViolations()
        try requireModelOfMemories(modelId, &violations)
        violations.check(
            (1...Self.maxMemories).contains(memories.count), "memories",
            "There must be 1 to \(Self.maxMemories) of them; there are \(memories.count).")

        var places: [ExactText: Int] = [:]
        var parsed: [NewMemory] = []
        for (place, memory) in memories.prefix(Self.maxMemories).enumerated() {
            if let first = places.updateValue(place, forKey: ExactText(memory.id)) {
                violations.add("memories[\(place)].id", "memories[\(first)] has the same id.")
            }
            if let memory = memory.parsed(as: "memories[\(place)]", &violations) { parsed.append(memory) }
        }
        try violations.throwIfAny()
        return parsed
    }
}

extension VectorsV1.NewMemory {
    fileprivate func parsed(as field: String, _ violations: inout FieldViolations) -> NewMemory? {
        let id = violations.value("\(field).id", self.id, MemoryID.init(_:))
        let content = violations.value("\(field).content", self.content) { text throws(InvalidValue) in
            guard !text.isEmpty else { throw InvalidValue(sentence: "It must not be empty.") }
            return try DocumentContent(text)
        }
        let embedding = violations.value("\(field).embedding", self.embedding, Embedding.init(ofMemory:))
        let type = violations.value("\(field).memory_type", memoryType, MemoryType.init(_:))
        let importance = violations.value("\(field).importance", self.importance ?? Importance.usual.value, Importance.init(_:))
        let end = violations.optional("\(field).expires_at", expiresAt) { timestamp throws(InvalidValue) in
            guard let instant = Instant(timestamp) else {
                throw InvalidValue(sentence: "It must be a time between the years 1 and 9999.")
            }
            return instant
        }
        let metadata = DocumentMetadata.read(texts: self.metadata, typed: typedMetadata, "\(field).", &violations)
        guard let id, let content, let embedding, let type, let importance, let metadata else { return nil }
        return NewMemory(
            note: MemoryNote(id: id, content: content, type: type, importance: importance, metadata: metadata, expiresAt: end),
            embedding: embedding)
    }
}

/// Notes that none is named. Throws for another one, whose embeddings are not looked at.
private func requireModelOfMemories(_ model: String, _ violations: inout FieldViolations) throws(VectorsError) {
    violations.check(!model.isEmpty, "model_id", "It must name the model of the embeddings.")
    if !model.isEmpty { try EmbeddingSpace.memories.require(model) }
}

extension Embedding {
    fileprivate init(ofMemory components: [Float]) throws(InvalidValue) { try self.init(components, in: .memories) }
}

extension VectorsV1.SearchMemoriesRequest {
    /// - Throws: `.otherModel` as well, when the model is not that of memories.
    func parsed() throws -> MemoryQuery {
        var violations = FieldViolations()
        try requireModelOfMemories(modelId, &violations)
        let embedding = violations.value("embedding", self.embedding, Embedding.init(ofMemory:))
        let limit = violations.value("limit", Int(self.limit)) { limit throws(InvalidValue) in
            guard limit == 0 || MemoryQuery.limits.contains(limit) else {
                throw InvalidValue(sentence: "It must be 1 to \(MemoryQuery.limits.upperBound), or 0 for \(MemoryQuery.usualLimit).")
            }
            return limit == 0 ? MemoryQuery.usualLimit : limit
        }
        let types = violations.memoryTypes(memoryTypes)
        let least = violations.value("min_importance", minImportance, Importance.init(_:))
        let filter = self.`where`.flatMap { FilterReader.read($0, "where", &violations) }
        violations.check(minPosition >= 0, "min_position", "It must not be negative.")
        let parts = try violations.complete(embedding, limit, types, least)
        return MemoryQuery(
            embedding: parts.0, limit: parts.1,
            selection: MemorySelection(types: parts.2, leastImportance: parts.3, filter: filter), position: minPosition)
    }
}

extension VectorsV1.ListMemoriesRequest {
    func parsed() throws(RPCError) -> (size: Int, types: [MemoryType], last: MemoryID?) {
        var violations = FieldViolations()
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        let types = violations.memoryTypes(memoryTypes)
        let (limit, parsed) = try violations.complete(size, types)
        guard let key = try PageToken.key(pageToken, of: Self.query(parsed), parts: 1) else { return (limit, parsed, nil) }
        guard let id = violations.value("page_token", key[0], MemoryID.init(_:)) else { throw PageToken.invalid }
        return (limit, parsed, id)
    }

    private static func query(_ types: [MemoryType]) -> [String] { ["memories", types.map(\.text).joined(separator: " ")] }

    /// Where a page of memories of these types goes on.
    static func token(of types: [MemoryType], behind id: MemoryID) -> PageToken { PageToken(query(types) + [id.text]) }
}

extension VectorsV1.DeleteMemoriesRequest {
    func parsed() throws(RPCError) -> MemoryDeletion {
        var violations = FieldViolations()
        let isSelection = !memoryTypes.isEmpty || self.`where` != nil
        let kinds = [!ids.isEmpty, isSelection, all].count { $0 }
        violations.check(
            kinds == 1, "ids", "There must be ids, or memory_types and where, or all; and not two of these at once.")
        violations.check(
            ids.count <= MemoryDeletion.maxIDs, "ids",
            "There must be at most 1,000 of them; there are \(ids.count).")
        let parsed = ids.prefix(MemoryDeletion.maxIDs).enumerated().compactMap { place, id in
            violations.value("ids[\(place)]", id, MemoryID.init(_:))
        }
        let types = violations.memoryTypes(memoryTypes)
        let filter = self.`where`.flatMap { FilterReader.read($0, "where", &violations) }
        let chosen = try violations.complete(types)
        if all { return .all }
        return isSelection ? .passing(MemorySelection(types: chosen, filter: filter)) : .ids(parsed)
    }
}

extension FieldViolations {
    fileprivate mutating func memoryTypes(_ given: [String]) -> [MemoryType]? {
        guard given.count <= MemorySelection.maxTypes else {
            add("memory_types", "There must be at most \(MemorySelection.maxTypes) of them; there are \(given.count).")
            return nil
        }
        var types: [MemoryType] = []
        for (place, type) in given.enumerated() {
            guard let type = value("memory_types[\(place)]", type, MemoryType.init(_:)) else { return nil }
            types.append(type)
        }
        return types
    }
}
