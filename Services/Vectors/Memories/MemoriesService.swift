internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// Answers the calls of heartguard.vectors.v1.MemoriesService.
struct MemoriesService: Sendable {
    let memories: MemoryRepository
    /// Where embeddings are compared.
    let threads: ComputeThreads
}

extension MemoriesService: VectorsV1.MemoriesServiceProtocol {
    func upsertMemories(
        _ request: VectorsV1.UpsertMemoriesRequest, context: RPCContext
    ) async throws -> VectorsV1.UpsertMemoriesResponse {
        let user = try context.caller().userID
        let new = try request.parsed()

        let change = try await memories.upsert(new, of: user)
        return VectorsV1.UpsertMemoriesResponse(
            insertedCount: Int32(new.count - change.count), replacedCount: Int32(change.count), position: change.position)
    }

    func searchMemories(
        _ request: VectorsV1.SearchMemoriesRequest, context: RPCContext
    ) async throws -> VectorsV1.SearchMemoriesResponse {
        let user = try context.caller().userID
        let query = try request.parsed()

        let (position, candidates) = try await memories.candidates(query.selection, of: user)
        guard position >= query.position else { throw VectorsError.behind(wanted: query.position, seen: position) }
        let hits = try await rank(candidates, by: query)
        let kept = try await memories.find(hits.map(\.id), of: user)
        let found = Dictionary(uniqueKeysWithValues: kept.map { ($0.note.id, $0) })
        // One that went or ended since it was compared, or passes no more, is left out.
        let matches = hits.compactMap { hit -> VectorsV1.MemoryMatch? in
            guard let memory = found[hit.id], query.selection.passes(memory.note) else { return nil }
            return VectorsV1.MemoryMatch(memory: .init(memory), score: hit.score)
        }
        return VectorsV1.SearchMemoriesResponse(matches: AnswerBytes.fitting(matches), position: position, exact: true)
    }

    func listMemories(
        _ request: VectorsV1.ListMemoriesRequest, context: RPCContext
    ) async throws -> VectorsV1.ListMemoriesResponse {
        let user = try context.caller().userID
        let (size, types, last) = try request.parsed()

        // One more than asked for tells whether there is a next page.
        let found = try await memories.list(of: user, types, after: last, limit: size + 1)
        let (page, next) = PageToken.page(found, of: size, telling: { VectorsV1.Memory($0) }) {
            VectorsV1.ListMemoriesRequest.token(of: types, behind: $0.note.id)
        }
        return VectorsV1.ListMemoriesResponse(memories: page, nextPageToken: next)
    }

    func deleteMemories(
        _ request: VectorsV1.DeleteMemoriesRequest, context: RPCContext
    ) async throws -> VectorsV1.DeleteMemoriesResponse {
        let user = try context.caller().userID
        let deletion = try request.parsed()

        let change = try await memories.delete(deletion, of: user)
        return VectorsV1.DeleteMemoriesResponse(deletedCount: Int32(change.count), position: change.position)
    }

    /// Compares on the threads meant for it, until the caller has gone or the deadline has passed.
    private func rank(_ candidates: [MemoryCandidate], by query: MemoryQuery) async throws -> [MemoryRanking.Hit] {
        if candidates.isEmpty { return [] }
        let deadline = Deadline.current
        do {
            let hits = try await threads.run { cancellation in
                MemoryRanking(query.embedding).nearest(query.limit, of: candidates, passing: query.selection.filter) {
                    cancellation.isSet || (deadline?.hasPassed ?? false)
                }
            }
            guard let hits else { throw VectorsError.searchTookTooLong }
            return hits
        } catch is ComputeThreads.Full {
            throw VectorsError.busy
        }
    }
}
