internal import Application
internal import Contracts
internal import Filters
internal import HNSW
internal import RPC

// What the requests must hold: each function returns domain values, or throws INVALID_ARGUMENT naming every field that
// breaks a rule. Embeddings are checked once their collection is known.

extension VectorsV1.CreateCollectionRequest {
    func parsed() throws(RPCError) -> (name: CollectionName, space: EmbeddingSpace) {
        var violations = FieldViolations()
        let name = violations.value("name", self.name, CollectionName.init(new:))
        let model = violations.value("model_id", modelId, ModelID.init(_:))
        let dimension = violations.value("dimension", Int(self.dimension)) { dimension throws(InvalidValue) in
            guard EmbeddingSpace.dimensions.contains(dimension) else {
                throw InvalidValue(sentence: "It must be 1 to 4,096.")
            }
            return dimension
        }
        let metric = violations.value("metric", self.metric, Metric.init(_:))
        let parts = try violations.complete(name, model, dimension, metric)
        return (parts.0, EmbeddingSpace(model: parts.1, dimension: parts.2, metric: parts.3))
    }
}

extension VectorsV1.DeleteCollectionRequest {
    func parsedName() throws(RPCError) -> CollectionName { try parse(collection) }
}

extension VectorsV1.UpsertDocumentsRequest {
    func parsedName() throws(RPCError) -> CollectionName { try parse(collection) }

    /// - Throws: `.otherModel` as well, when the model is not the collection's.
    func parsedDocuments(for collection: Collection) throws -> [NewDocument] {
        try collection.space.require(modelId)
        return try documents.parsed(in: collection.space)
    }
}

extension [VectorsV1.Document] {
    static let maxCount = 500

    /// The documents that one message adds to a collection.
    func parsed(in space: EmbeddingSpace) throws(RPCError) -> [NewDocument] {
        var violations = FieldViolations()
        violations.check(
            (1...Self.maxCount).contains(count), "documents",
            "There must be 1 to \(Self.maxCount) of them; there are \(count).")

        var places: [ExactText: Int] = [:]
        var parsed: [NewDocument] = []
        for (place, document) in prefix(Self.maxCount).enumerated() {
            if let first = places.updateValue(place, forKey: ExactText(document.id)) {
                violations.add("documents[\(place)].id", "documents[\(first)] has the same id.")
            }
            if let document = document.parsed(in: space, as: "documents[\(place)]", &violations) {
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
        let id = violations.value("\(field).id", self.id, DocumentID.init(_:))
        let content = violations.value("\(field).content", self.content, DocumentContent.init(_:))
        let embedding = violations.value("\(field).embedding", self.embedding) { components throws(InvalidValue) in
            try Embedding(components, in: space)
        }
        let metadata = DocumentMetadata.read(
            texts: self.metadata, typed: self.typedMetadata, "\(field).", &violations)
        guard let id, let content, let embedding, let metadata else { return nil }
        return NewDocument(id: id, content: content, embedding: embedding, metadata: metadata)
    }
}

extension VectorsV1.SearchRequest {
    func parsedName() throws(RPCError) -> CollectionName { try parse(collection) }

    /// - Throws: `.otherModel` as well, when the model is not the collection's.
    func parsedQuery(for collection: Collection) throws -> SearchQuery {
        try collection.space.require(modelId)
        var violations = FieldViolations()
        let ranking = ranking(in: collection.space, &violations)
        let limit = violations.value("limit", Int(self.limit)) { limit throws(InvalidValue) in
            guard limit == 0 || SearchQuery.limits.contains(limit) else {
                throw InvalidValue(sentence: "It must be 1 to 1,000, or 0 for \(SearchQuery.usualLimit).")
            }
            return limit == 0 ? SearchQuery.usualLimit : limit
        }
        let filter = wholeFilter(&violations)
        violations.check((0...SearchQuery.maxEffort).contains(Int(efSearch)), "ef_search", "It must be 0 to 10,000.")
        violations.check(minPosition >= 0, "min_position", "It must not be negative.")
        if case .unrecognized = view { violations.add("view", "It must be MATCH_VIEW_FULL or MATCH_VIEW_ID.") }
        let parts = try violations.complete(ranking, limit)
        return SearchQuery(
            ranking: parts.0, limit: parts.1, filter: filter, effort: efSearch == 0 ? nil : Int(efSearch))
    }

    private func ranking(in space: EmbeddingSpace, _ violations: inout FieldViolations) -> SearchQuery.Ranking? {
        let text = violations.value("query_text", queryText, SearchText.init(_:))
        let weights = violations.optional("weights", weights, RankingWeights.init(checking:))
        if embedding.isEmpty, !queryText.isEmpty { return text.map(SearchQuery.Ranking.text) }

        let embedding = violations.value("embedding", self.embedding) { components throws(InvalidValue) in
            try Embedding(components, in: space)
        }
        guard let embedding, let text else { return nil }
        return text.text.isEmpty ? .embedding(embedding) : .both(embedding, text, weights ?? .equal)
    }

    /// What both fields ask for; `nil` if nothing is asked, or once a violation has been noted.
    private func wholeFilter(_ violations: inout FieldViolations) -> Filter? {
        let texts = violations.value("filter", self.filter.mapValues(MetadataValue.text), DocumentMetadata.init(_:))
        var filters = (texts?.entries ?? [:]).map { Filter.equals($0.key, $0.value) }
        if let condition = self.`where`.flatMap({ FilterReader.read($0, "where", &violations) }) {
            filters.append(condition)
        }
        return filters.count > 1 ? .allOf(filters) : filters.first
    }
}

extension RankingWeights {
    fileprivate init(checking weights: VectorsV1.RankingWeights) throws(InvalidValue) {
        guard weights.embedding.isFinite, weights.text.isFinite, min(weights.embedding, weights.text) >= 0 else {
            throw InvalidValue(sentence: "Neither may be negative, infinite or no number.")
        }
        guard max(weights.embedding, weights.text) > 0 else { throw InvalidValue(sentence: "One must be above 0.") }
        self.init(embedding: weights.embedding, text: weights.text)
    }
}

extension VectorsV1.DeleteDocumentsRequest {
    static let maxIDs = 1_000

    /// Which documents are to go.
    enum Selection: Sendable {
        case ids([DocumentID])
        case passing(Filter)
    }

    func parsed() throws(RPCError) -> (name: CollectionName, selection: Selection) {
        var violations = FieldViolations()
        let name = violations.value("collection", collection, CollectionName.init(_:))
        if let condition = self.`where` {
            violations.check(ids.isEmpty, "ids", "There must be none beside a filter.")
            let filter = FilterReader.read(condition, "where", &violations)
            let parts = try violations.complete(name, filter)
            return (parts.0, .passing(parts.1))
        }
        violations.check(
            (1...Self.maxIDs).contains(ids.count), "ids",
            "There must be 1 to 1,000 of them; there are \(ids.count).")
        let parsed = ids.prefix(Self.maxIDs).enumerated().compactMap { place, id in
            violations.value("ids[\(place)]", id, DocumentID.init(_:))
        }
        return (try violations.complete(name), .ids(parsed))
    }
}

private func parse(_ collection: String) throws(RPCError) -> CollectionName {
    var violations = FieldViolations()
    let name = violations.value("collection", collection, CollectionName.init(_:))
    return try violations.complete(name)
}

extension EmbeddingSpace {
    /// Throws unless a request is for this space's model.
    func require(_ model: String) throws(VectorsError) {
        // One that is too long to be a model's name is not said again.
        guard model == self.model.text else { throw .otherModel(expected: self.model, given: try? ModelID(model)) }
    }
}
