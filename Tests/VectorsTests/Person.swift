internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import Time
internal import Tokens

@testable internal import Vectors

/// Somebody whom no other test knows, and whose memories are asked for.
struct Person: Sendable {
    static let model = EmbeddingSpace.memories.model.text

    let id = UUID()
    let service: MemoriesService

    init(_ postgres: Postgres, threads: ComputeThreads = ComputeThreads(name: "search", threads: 2, maxQueued: 64)) {
        service = MemoriesService(memories: MemoryRepository(postgres: postgres), threads: threads)
    }

    /// The context of a call that this person makes.
    var context: RPCContext {
        var context = RPCContext(method: VectorsV1.MemoriesServiceMethods.searchMemories.descriptor)
        context[CallerIdentity.self] = CallerIdentity(
            AccessClaims(
                subject: id, tokenID: "test", role: .user, issuedAt: .now(), expiresAt: .now() + .seconds(60),
                sessionID: UUID()))
        return context
    }

    @discardableResult
    func keep(_ memories: [VectorsV1.NewMemory], model: String = model) async throws -> VectorsV1.UpsertMemoriesResponse {
        try await service.upsertMemories(.init(modelId: model, memories: memories), context: context)
    }

    func find(
        near embedding: [Float], limit: Int32 = 0, types: [String] = [], least: Double = 0, where filter: VectorsV1.Filter? = nil,
        minPosition: Int64 = 0, model: String = model
    ) async throws -> VectorsV1.SearchMemoriesResponse {
        try await service.searchMemories(
            .init(
                modelId: model, embedding: embedding, limit: limit, memoryTypes: types, minImportance: least, where: filter,
                minPosition: minPosition), context: context)
    }

    func list(_ types: [String] = [], size: Int32 = 100, token: String = "") async throws -> VectorsV1.ListMemoriesResponse {
        try await service.listMemories(.init(pageSize: size, pageToken: token, memoryTypes: types), context: context)
    }

    @discardableResult
    func delete(
        _ ids: [String] = [], types: [String] = [], where filter: VectorsV1.Filter? = nil, all: Bool = false
    ) async throws -> VectorsV1.DeleteMemoriesResponse {
        try await service.deleteMemories(.init(ids: ids, memoryTypes: types, where: filter, all: all), context: context)
    }
}

extension VectorsV1.NewMemory {
    /// A memory that points mostly along one axis; its content says which it is.
    static func at(
        _ axis: Int, _ id: String, type: String = "note", importance: Double? = nil, until end: Instant? = nil,
        _ metadata: [String: String] = [:], typed: [String: VectorsV1.MetadataValue.OneOf_Kind] = [:]
    ) -> Self {
        .init(
            id: id, content: "content of \(id)", embedding: .along(axis), memoryType: type, importance: importance,
            expiresAt: end.map { .init($0) }, metadata: metadata, typedMetadata: typed.mapValues { .init(kind: $0) })
    }
}

extension [Float] {
    /// The farther apart two axes are, the smaller is the cosine of what points along them.
    static func along(_ axis: Int, dimension: Int = 384) -> [Float] {
        (0..<dimension).map { 1 / Float(1 + abs($0 - axis)) }
    }
}
