internal import Application
internal import Contracts
internal import HNSW
internal import RPC

// What the requests must hold: each function returns domain values, or throws INVALID_ARGUMENT naming every field that
// breaks a rule. Embeddings are checked once their collection is known.

extension VectorsV1.CreateCollectionRequest {
    func parsed() throws(RPCError) -> (name: CollectionName, space: EmbeddingSpace) {
        var violations = FieldViolations()
        let name = violations.value("name") { () throws(BrokenRule) in try CollectionName(self.name) }
        let model = violations.value("model_id") { () throws(BrokenRule) in try ModelID(modelId) }
        let dimension = violations.value("dimension") { () throws(BrokenRule) in
            guard EmbeddingSpace.dimensions.contains(Int(self.dimension)) else {
                throw BrokenRule("It must be 1 to 4,096.")
            }
            return Int(self.dimension)
        }
        let metric = violations.value("metric") { () throws(BrokenRule) in try Metric(self.metric) }
        let parts = try violations.all(name, model, dimension, metric)
        return (parts.0, EmbeddingSpace(model: parts.1, dimension: parts.2, metric: parts.3))
    }
}

extension VectorsV1.UpsertDocumentsRequest {
    static let maxDocuments = 500

    func parsedName() throws(RPCError) -> CollectionName { try parse(collection) }

    /// - Throws: FAILED_PRECONDITION as well, when the model is not the collection's.
    func parsedDocuments(for collection: Collection) throws -> [NewDocument] {
        try require(modelId, of: collection)
        var violations = FieldViolations()
        violations.check(
            (1...Self.maxDocuments).contains(documents.count), "documents",
            "There must be 1 to \(Self.maxDocuments) of them; there are \(documents.count).")

        var places: [String: Int] = [:]
        var parsed: [NewDocument] = []
        for (place, document) in documents.prefix(Self.maxDocuments).enumerated() {
            if let first = places.updateValue(place, forKey: document.id) {
                violations.add("documents[\(place)].id", "documents[\(first)] has the same id.")
            }
            if let document = document.parsed(in: collection.space, as: "documents[\(place)]", &violations) {
                parsed.append(document)
            }
        }
        try violations.throwIfAny()
        return parsed
    }
}

extension VectorsV1.Document {
    fileprivate func parsed(
        in space: EmbeddingSpace, as field: String, _ violations: inout FieldViolations
    ) -> NewDocument? {
        let id = violations.value("\(field).id") { () throws(BrokenRule) in try DocumentID(self.id) }
        let content = violations.value("\(field).content") { () throws(BrokenRule) in
            try DocumentContent(self.content)
        }
        let embedding = violations.value("\(field).embedding") { () throws(BrokenRule) in
            try Embedding(self.embedding, in: space)
        }
        let metadata = violations.value("\(field).metadata") { () throws(BrokenRule) in
            try DocumentMetadata(self.metadata)
        }
        guard let id, let content, let embedding, let metadata else { return nil }
        return NewDocument(id: id, content: content, embedding: embedding, metadata: metadata)
    }
}

extension VectorsV1.SearchRequest {
    func parsedName() throws(RPCError) -> CollectionName { try parse(collection) }

    /// - Throws: FAILED_PRECONDITION as well, when the model is not the collection's.
    func parsedQuery(for collection: Collection) throws -> SearchQuery {
        try require(modelId, of: collection)
        var violations = FieldViolations()
        let embedding = violations.value("embedding") { () throws(BrokenRule) in
            try Embedding(self.embedding, in: collection.space)
        }
        let limit = violations.value("limit") { () throws(BrokenRule) in
            guard self.limit == 0 || SearchQuery.limits.contains(Int(self.limit)) else {
                throw BrokenRule("It must be 1 to 1,000, or 0 for \(SearchQuery.usualLimit).")
            }
            return self.limit == 0 ? SearchQuery.usualLimit : Int(self.limit)
        }
        let filter = violations.value("filter") { () throws(BrokenRule) in try DocumentMetadata(self.filter) }
        violations.check((0...SearchQuery.maxEffort).contains(Int(efSearch)), "ef_search", "It must be 0 to 10,000.")
        violations.check(minPosition >= 0, "min_position", "It must not be negative.")
        let parts = try violations.all(embedding, limit, filter)
        return SearchQuery(
            embedding: parts.0, limit: parts.1, filter: parts.2, effort: efSearch == 0 ? nil : Int(efSearch))
    }
}

extension VectorsV1.DeleteDocumentsRequest {
    static let maxIDs = 1_000

    func parsed() throws(RPCError) -> (name: CollectionName, ids: [DocumentID]) {
        var violations = FieldViolations()
        let name = violations.value("collection") { () throws(BrokenRule) in try CollectionName(collection) }
        violations.check(
            (1...Self.maxIDs).contains(ids.count), "ids",
            "There must be 1 to 1,000 of them; there are \(ids.count).")
        let parsed = ids.prefix(Self.maxIDs).enumerated().compactMap { place, id in
            violations.value("ids[\(place)]") { () throws(BrokenRule) in try DocumentID(id) }
        }
        return (try violations.all(name), parsed)
    }
}

private func parse(_ collection: String) throws(RPCError) -> CollectionName {
    var violations = FieldViolations()
    let name = violations.value("collection") { () throws(BrokenRule) in try CollectionName(collection) }
    return try violations.all(name)
}

private func require(_ model: String, of collection: Collection) throws(VectorsError) {
    guard model == collection.space.model.text else { throw .otherModel(expected: collection.space.model) }
}
