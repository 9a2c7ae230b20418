internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

/// Answers the calls of heartguard.chat.v1.HistoryService.
struct HistoryService: Sendable {
    let history: HistoryMessageRepository
}

extension HistoryService: ChatV1.HistoryServiceProtocol {
    func listHistory(_ request: ChatV1.ListHistoryRequest, context: RPCContext) async throws -> ChatV1.ListHistoryResponse {
        let user = try context.caller().userID
        let (conversation, size, place) = try request.parsed()

        // One more than asked for tells whether there is a next page.
        let found = try await history.list(of: conversation, behind: place, limit: size + 1, of: user)
        let (page, next) = try PageToken.page(found, of: size, telling: { try ChatV1.HistoryMessage($0) }) { request.token(behind: $0) }
        return ChatV1.ListHistoryResponse(messages: page, nextPageToken: next)
    }
}

extension ChatV1.ListHistoryRequest {
    /// - Returns: `nil` for the messages of all conversations.
    func parsed() throws(RPCError) -> (conversation: String?, size: Int, place: HistoryMessageRepository.Place?) {
        var violations = FieldViolations()
        violations.check(
            conversation.codePointCount <= 128 && !conversation.hasNUL, "conversation", "The field has more than 128 characters, or a NUL.")
        let size = violations.pageSize(pageSize, usual: 50, most: 100)
        let limit = try violations.complete(size)
        let one = conversation.isEmpty ? nil : conversation
        guard let key = try PageToken.key(pageToken, of: query, parts: 3) else { return (one, limit, nil) }
        guard let id = UUID(uuidString: key[2]) else { throw PageToken.invalid }
        let place = HistoryMessageRepository.Place(conversation: key[0], saidAt: try PageToken.instant(key[1]), id: id)
        return (one, limit, place)
    }

    /// What a page's token is of.
    private var query: [String] { ["history", conversation] }

    func token(behind message: HistoryMessage) -> PageToken {
        PageToken(of: query + [message.sessionID], behind: message.saidAt, message.id)
    }
}

extension ChatV1.HistoryMessage {
    init(_ message: HistoryMessage) throws {
        self.init(
            id: message.id.text, conversation: message.sessionID, role: .init(message.role), content: message.content,
            metadata: try GoogleProtobuf.Struct.kept(MessageMetadata(kept: message.metadata.text)), saidAt: .init(message.saidAt))
    }
}

extension ChatV1.Role {
    init(_ role: HistoryMessage.Role) {
        self =
            switch role {
            case .user: .user
            case .assistant: .assistant
            case .system: .system
            case .tool: .tool
            }
    }
}
