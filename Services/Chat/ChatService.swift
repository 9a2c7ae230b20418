internal import Application
internal import Contracts
internal import RPC

/// Answers the calls of heartguard.chat.v1.ChatService.
struct ChatService: Sendable {
    let sessions: SessionRepository
    let messages: MessageRepository
    let recent: RecentSessions
    let archiver: SessionArchiver
}

extension ChatService: ChatV1.ChatServiceProtocol {
    func createSession(
        _ request: ChatV1.CreateSessionRequest, context: RPCContext
    ) async throws -> ChatV1.CreateSessionResponse {
        let user = try context.caller().userID
        let (title, clientID) = try request.parsed()

        let created = try await recent.changing(of: user) {
            try await sessions.create(title: title, clientID: clientID, for: user)
        }
        return ChatV1.CreateSessionResponse(session: .init(created.session), created: created.isNew)
    }

    func getSession(
        _ request: ChatV1.GetSessionRequest, context: RPCContext
    ) async throws -> ChatV1.GetSessionResponse {
        let user = try context.caller().userID
        let id = try request.parsed()

        guard let session = try await sessions.find(id, of: user) else { throw ChatError.sessionNotFound(id) }
        return ChatV1.GetSessionResponse(session: .init(session))
    }

    func renameSession(
        _ request: ChatV1.RenameSessionRequest, context: RPCContext
    ) async throws -> ChatV1.RenameSessionResponse {
        let user = try context.caller().userID
        let (id, title) = try request.parsed()

        let renamed = try await recent.changing(of: user) { try await sessions.rename(id, to: title, of: user) }
        guard let renamed else { throw ChatError.sessionNotFound(id) }
        return ChatV1.RenameSessionResponse(session: .init(renamed))
    }

    func archiveSession(
        _ request: ChatV1.ArchiveSessionRequest, context: RPCContext
    ) async throws -> ChatV1.ArchiveSessionResponse {
        let user = try context.caller().userID
        let id = try request.parsed()

        let archived = try await recent.changing(of: user) { try await archiver.putAway(id, of: user) }
        return ChatV1.ArchiveSessionResponse(session: .init(archived))
    }

    func restoreSession(
        _ request: ChatV1.RestoreSessionRequest, context: RPCContext
    ) async throws -> ChatV1.RestoreSessionResponse {
        let user = try context.caller().userID
        let id = try request.parsed()

        // Reading the archive checks it.
        guard try await messages.page(of: id, of: user, after: 0, limit: 1) != nil else { throw ChatError.sessionNotFound(id) }
        let restored = try await recent.changing(of: user) { try await sessions.restore(id, of: user) }
        guard let restored else { throw ChatError.sessionNotFound(id) }
        return ChatV1.RestoreSessionResponse(session: .init(restored))
    }

    func listSessions(
        _ request: ChatV1.ListSessionsRequest, context: RPCContext
    ) async throws -> ChatV1.ListSessionsResponse {
        let user = try context.caller().userID
        let (size, place) = try request.parsed()

        // One more than asked for tells whether there is a next page.
        let found: [ChatV1.Session] = if place != nil || request.archived {
            try await sessions.list(of: user, archived: request.archived, after: place, limit: size + 1).map { .init($0) }
        } else {
            try await recent.first(size, of: user, pastMemory: context.metadata.asksPastMemory)
        }
        let (page, next) = PageToken.page(found, of: size, behind: request.token(behind:))
        return ChatV1.ListSessionsResponse(sessions: Array(page), nextPageToken: next)
    }

    func appendMessages(
        _ request: ChatV1.AppendMessagesRequest, context: RPCContext
    ) async throws -> ChatV1.AppendMessagesResponse {
        let user = try context.caller().userID
        let (session, new) = try request.parsed()

        let appended = try await recent.changing(of: user) { try await messages.append(new, to: session, of: user) }
        // Those that were there already may be longer than what was sent.
        let whole = try AnswerBytes.fitting(appended.messages, telling: { try ChatV1.Message($0) })
        let rest = appended.messages.dropFirst(whole.count).map { ChatV1.Message(withoutContent: $0) }
        return ChatV1.AppendMessagesResponse(messages: whole + rest, duplicateCount: Int32(appended.duplicateCount))
    }

    func listMessages(
        _ request: ChatV1.ListMessagesRequest, context: RPCContext
    ) async throws -> ChatV1.ListMessagesResponse {
        let user = try context.caller().userID
        let (session, size, range) = try request.parsed()

        let page =
            switch range {
            case .oldestFirst(let sequence, let last):
                try await messages.page(of: session, of: user, after: sequence, upTo: last, limit: size)
            case .newestFirst(let sequence):
                try await messages.page(of: session, of: user, before: sequence, limit: size)
            }
        guard let page else { throw ChatError.sessionNotFound(session) }
        let next = page.hasMore ? page.messages.last.map { PageToken(behind: $0, newestFirst: request.newestFirst).text } : nil
        return ChatV1.ListMessagesResponse(
            messages: try page.messages.map { try .init($0) }, nextPageToken: next ?? "")
    }
}
