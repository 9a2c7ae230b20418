internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Synchronization

/// Answers the calls of heartguard.chat.v1.DraftsService.
struct DraftsService: Sendable {
    let drafts: DraftRepository
    let recent: RecentSessions
}

extension DraftsService: ChatV1.DraftsServiceProtocol {
    func streamMessage(
        _ requests: RequestStream<ChatV1.StreamMessageRequest>, responses: ResponseWriter<ChatV1.StreamMessageResponse>,
        context: RPCContext
    ) async throws {
        let caller = try context.caller()
        let (user, end) = (caller.userID, caller.tokenExpiresAt)
        let iterator = requests.makeAsyncIterator()
        let next: @Sendable () async throws(RPCError) -> ChatV1.StreamMessageRequest? = {
            var iterator = iterator
            return try await iterator.next()
        }
        let draft = try (try await next()).beginning()

        let kept: Int
        switch try await drafts.begin(draft, of: user) {
        case .message(let message): return try await responses.write(.init(progress: .message(.init(message))))
        case .kept(let count): kept = count
        }
        try await responses.write(.init(progress: .kept(Int64(kept))))

        let length = try await PieceKeeper(draft: draft, drafts: drafts, user: user).keep(from: kept) {
            try await next()?.continuation(before: end)
        } progress: {
            try await responses.write(.init(progress: .kept(Int64($0))))
        }
        guard let length else { return }
        let message = try await recent.changing(of: user) { try await drafts.end(draft, length: length, of: user) }
        try await responses.write(.init(progress: .message(.init(message))))
    }

    func listDrafts(_ request: ChatV1.ListDraftsRequest, context: RPCContext) async throws -> ChatV1.ListDraftsResponse {
        let user = try context.caller().userID
        let session = try request.parsed()

        guard let found = try await drafts.list(of: session, user) else { throw ChatError.sessionNotFound(session) }
        return ChatV1.ListDraftsResponse(drafts: try AnswerBytes.fitting(found, telling: { try ChatV1.Draft($0) }))
    }

    func discardDraft(_ request: ChatV1.DiscardDraftRequest, context: RPCContext) async throws -> ChatV1.DiscardDraftResponse {
        let user = try context.caller().userID
        let (session, clientID) = try request.parsed()

        try await drafts.discard(clientID, in: session, of: user)
        return ChatV1.DiscardDraftResponse()
    }
}
