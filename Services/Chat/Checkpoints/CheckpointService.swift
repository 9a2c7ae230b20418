internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// Answers the calls of heartguard.chat.v1.CheckpointService.
struct CheckpointService: Sendable {
    let store: CheckpointStore
}

extension CheckpointService: ChatV1.CheckpointServiceProtocol {
    func putCheckpoint(
        _ request: ChatV1.PutCheckpointRequest, context: RPCContext
    ) async throws -> ChatV1.PutCheckpointResponse {
        let user = try context.caller().userID
        let checkpoint = try request.parsed()

        return ChatV1.PutCheckpointResponse(missingChannels: try await store.put(checkpoint, of: user))
    }

    func putWrites(_ request: ChatV1.PutWritesRequest, context: RPCContext) async throws -> ChatV1.PutWritesResponse {
        let user = try context.caller().userID
        let (thread, key, task, path, writes) = try request.parsed()

        try await store.put(writes, of: task, path: path, behind: key, in: thread, of: user)
        return ChatV1.PutWritesResponse()
    }

    func getCheckpoint(
        _ request: ChatV1.GetCheckpointRequest, context: RPCContext
    ) async throws -> ChatV1.GetCheckpointResponse {
        let user = try context.caller().userID
        let (thread, namespace, id) = try request.parsed()

        let found = try await store.find(id, in: namespace, of: thread, user)
        return ChatV1.GetCheckpointResponse(checkpoint: .init(found))
    }

    func listCheckpoints(
        _ request: ChatV1.ListCheckpointsRequest, context: RPCContext
    ) async throws -> ChatV1.ListCheckpointsResponse {
        let user = try context.caller().userID
        var (thread, list) = try request.parsed()

        if let thread { list.thread = try await store.number(of: thread, user) }
        let page = try await store.page(list, of: user)
        // With the names in them they are larger than what the store counts.
        let told = AnswerBytes.fitting(page.checkpoints, telling: { ChatV1.Checkpoint($0) })
        let hasMore = page.hasMore || told.count < page.checkpoints.count
        let last = hasMore ? page.checkpoints.prefix(told.count).last : nil
        return ChatV1.ListCheckpointsResponse(checkpoints: told, nextPageToken: last.map { PageToken(behind: $0).text } ?? "")
    }

    func deleteThread(_ request: ChatV1.DeleteThreadRequest, context: RPCContext) async throws -> ChatV1.DeleteThreadResponse {
        let user = try context.caller().userID
        let thread = try request.parsed()

        try await store.delete(thread, of: user)
        return ChatV1.DeleteThreadResponse()
    }

    func copyThread(_ request: ChatV1.CopyThreadRequest, context: RPCContext) async throws -> ChatV1.CopyThreadResponse {
        let user = try context.caller().userID
        let (source, target) = try request.parsed()

        try await store.copy(source, to: target, of: user)
        return ChatV1.CopyThreadResponse()
    }

    func pruneThreads(_ request: ChatV1.PruneThreadsRequest, context: RPCContext) async throws -> ChatV1.PruneThreadsResponse {
        let user = try context.caller().userID
        let (threads, strategy) = try request.parsed()

        var deleted = 0
        for thread in threads { deleted += try await store.prune(thread, strategy, of: user) }
        return ChatV1.PruneThreadsResponse(deletedCount: Int64(deleted))
    }

    func deleteRuns(_ request: ChatV1.DeleteRunsRequest, context: RPCContext) async throws -> ChatV1.DeleteRunsResponse {
        let user = try context.caller().userID
        let runs = try request.parsed()

        return ChatV1.DeleteRunsResponse(deletedCount: Int64(try await store.deleteRuns(runs, of: user)))
    }
}
