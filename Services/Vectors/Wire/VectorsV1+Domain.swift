internal import Application
internal import Contracts
internal import FoundationEssentials
internal import HNSW
internal import Time

extension VectorsV1.Collection {
    init(_ collection: Collection) {
        self.init(
            id: collection.id.text, name: collection.name.text,
            modelId: collection.space.model.text, dimension: Int32(collection.space.dimension),
            metric: .init(collection.space.metric), documentCount: collection.documentCount,
            position: collection.position, createdAt: .init(collection.createdAt))
    }
}

extension VectorsV1.Match {
    init(_ document: KeptDocument, score: Float) {
        self.init(
            id: document.id.text, score: score, content: document.content, metadata: document.metadata.texts,
            typedMetadata: document.metadata.typed, documentPosition: document.version.position)
    }
}

extension VectorsV1.Metric {
    init(_ metric: Metric) {
        self =
            switch metric {
            case .cosine: .cosine
            case .innerProduct: .innerProduct
            case .euclidean: .euclidean
            }
    }
}

extension Metric {
    init(_ metric: VectorsV1.Metric) throws(InvalidValue) {
        switch metric {
        case .cosine: self = .cosine
        case .innerProduct: self = .innerProduct
        case .euclidean: self = .euclidean
        case .unspecified, .unrecognized:
            throw InvalidValue(sentence: "It must be METRIC_COSINE, METRIC_INNER_PRODUCT or METRIC_EUCLIDEAN.")
        }
    }
}
