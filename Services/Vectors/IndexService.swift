internal import Contracts
internal import RPC

/// Answers the calls of heartguard.vectors.v1.IndexService.
struct IndexService: Sendable {
    let indexes: CollectionIndexes
    let recall: RecallSampler
}

extension IndexService: VectorsV1.IndexServiceProtocol {
    func listIndexes(
        _ request: VectorsV1.ListIndexesRequest, context: RPCContext
    ) async throws -> VectorsV1.ListIndexesResponse {
        VectorsV1.ListIndexesResponse(indexes: indexes.all.map { .init($0) })
    }

    func listSearchRecall(
        _ request: VectorsV1.ListSearchRecallRequest, context: RPCContext
    ) async throws -> VectorsV1.ListSearchRecallResponse {
        let records = recall.records(of: indexes)
        return VectorsV1.ListSearchRecallResponse(recalls: records.map { .init($0.kind, $0.record) })
    }
}
