internal import Contracts
internal import RPC

@testable internal import Vectors

/// The calls of a test, with what they usually say left out.
extension VectorsService {
    private var context: RPCContext { RPCContext(method: VectorsV1.VectorsServiceMethods.search.descriptor) }

    @discardableResult
    func create(
        _ name: String, dimension: Int32 = 3, metric: VectorsV1.Metric = .euclidean, model: String = "test-model"
    ) async throws -> VectorsV1.CreateCollectionResponse {
        try await createCollection(
            .init(name: name, modelId: model, dimension: dimension, metric: metric), context: context)
    }

    func collection(_ name: String) async throws -> VectorsV1.Collection? {
        try await listCollections(.init(), context: context).collections.first { $0.name == name }
    }

    @discardableResult
    func upsert(
        _ documents: [VectorsV1.Document], in collection: String, model: String = "test-model"
    ) async throws -> VectorsV1.UpsertDocumentsResponse {
        try await upsertDocuments(
            .init(collection: collection, modelId: model, documents: documents), context: context)
    }

    @discardableResult
    func delete(_ ids: [String], from collection: String) async throws -> VectorsV1.DeleteDocumentsResponse {
        try await deleteDocuments(.init(collection: collection, ids: ids), context: context)
    }

    @discardableResult
    func delete(
        where condition: VectorsV1.Filter, ids: [String] = [], from collection: String
    ) async throws -> VectorsV1.DeleteDocumentsResponse {
        try await deleteDocuments(.init(collection: collection, ids: ids, where: condition), context: context)
    }

    func find(
        near embedding: [Float] = [], in collection: String, limit: Int32 = 0, filter: [String: String] = [:],
        where condition: VectorsV1.Filter? = nil, text: String = "", weights: VectorsV1.RankingWeights? = nil,
        effort: Int32 = 0, minPosition: Int64 = 0, model: String = "test-model", view: VectorsV1.MatchView = .unspecified
    ) async throws -> VectorsV1.SearchResponse {
        try await search(
            .init(
                collection: collection, modelId: model, embedding: embedding, limit: limit, filter: filter,
                efSearch: effort, minPosition: minPosition, where: condition, queryText: text, weights: weights,
                view: view),
            context: context)
    }
}
