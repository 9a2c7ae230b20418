internal import Application
internal import Contracts
internal import RPC

/// Answers the calls of heartguard.chat.v1.MemoriesService.
struct MemoriesService: Sendable {
    let memories: MemoryRepository

    private var finder: MemoryFinder { MemoryFinder(memories: memories) }
}

extension MemoriesService: ChatV1.MemoriesServiceProtocol {
    func remember(_ request: ChatV1.RememberRequest, context: RPCContext) async throws -> ChatV1.RememberResponse {
        let user = try context.caller().userID
        let new = try request.parsed()

        let (memory, isNew) = try await memories.remember(new, of: user)
        return ChatV1.RememberResponse(memory: try .init(memory), created: isNew)
    }

    func listMemories(
        _ request: ChatV1.ListMemoriesRequest, context: RPCContext
    ) async throws -> ChatV1.ListMemoriesResponse {
        let user = try context.caller().userID
        var list = try request.parsed()
        let size = list.limit

        // One more than asked for tells whether there is a next page.
        list.limit += 1
        let found = try await memories.list(list, of: user)
        let (page, next) = try PageToken.page(found, of: size, telling: { try ChatV1.Memory($0) }) {
            PageToken(of: list.query, behind: $0.id)
        }
        return ChatV1.ListMemoriesResponse(memories: page, nextPageToken: next)
    }

    func searchMemories(
        _ request: ChatV1.SearchMemoriesRequest, context: RPCContext
    ) async throws -> ChatV1.SearchMemoriesResponse {
        let user = try context.caller().userID
        let search = try request.parsed()

        let found = try await finder.find(search, of: user)
        return ChatV1.SearchMemoriesResponse(
            memories: try AnswerBytes.fitting(found.memories, telling: { try ChatV1.FoundMemory($0) }), asOf: .init(found.moment))
    }

    func listMemoryHistory(
        _ request: ChatV1.ListMemoryHistoryRequest, context: RPCContext
    ) async throws -> ChatV1.ListMemoryHistoryResponse {
        let user = try context.caller().userID
        let (id, size, place) = try request.parsed()

        // One more than asked for tells whether there is a next page.
        let found = try await memories.history(of: id, behind: place, limit: size + 1, user)
        if found.isEmpty, try await memories.find(id, of: user) == nil { throw ChatError.memoryNotFound }
        let (page, next) = try PageToken.page(found, of: size, telling: { try ChatV1.Memory($0) }) {
            PageToken(of: ChatV1.ListMemoryHistoryRequest.query(id), behind: $0.createdAt, $0.id)
        }
        return ChatV1.ListMemoryHistoryResponse(memories: page, nextPageToken: next)
    }

    func forgetMemories(
        _ request: ChatV1.ForgetMemoriesRequest, context: RPCContext
    ) async throws -> ChatV1.ForgetMemoriesResponse {
        let user = try context.caller().userID
        let ids = try request.parsed()

        return ChatV1.ForgetMemoriesResponse(forgottenCount: Int32(try await memories.forget(ids, of: user)))
    }
}
