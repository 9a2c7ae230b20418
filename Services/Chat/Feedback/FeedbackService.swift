internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// Answers the calls of heartguard.chat.v1.FeedbackService.
struct FeedbackService: Sendable {
    let feedback: FeedbackRepository
    let sessions: SessionRepository
    let messages: MessageRepository
}

extension FeedbackService: ChatV1.FeedbackServiceProtocol {
    func giveFeedback(
        _ request: ChatV1.GiveFeedbackRequest, context: RPCContext
    ) async throws -> ChatV1.GiveFeedbackResponse {
        let user = try context.caller().userID
        let new = try request.parsed()

        try await checkIsThere(new.message, in: new.session, of: user)
        return ChatV1.GiveFeedbackResponse(feedback: .init(try await feedback.give(new, of: user)))
    }

    func listFeedback(
        _ request: ChatV1.ListFeedbackRequest, context: RPCContext
    ) async throws -> ChatV1.ListFeedbackResponse {
        let user = try context.caller().userID
        let (session, size, place) = try request.parsed()

        // One more than asked for tells whether there is a next page.
        let found = try await feedback.list(of: session, after: place, limit: size + 1, of: user)
        if found.isEmpty { try await checkIsThere(nil, in: session, of: user) }
        let (page, next) = PageToken.page(found, of: size, telling: { ChatV1.Feedback($0) }) {
            PageToken(of: ChatV1.ListFeedbackRequest.query(session), behind: $0.id)
        }
        return ChatV1.ListFeedbackResponse(feedback: page, nextPageToken: next)
    }

    func withdrawFeedback(
        _ request: ChatV1.WithdrawFeedbackRequest, context: RPCContext
    ) async throws -> ChatV1.WithdrawFeedbackResponse {
        let user = try context.caller().userID
        try await feedback.withdraw(try request.parsed(), of: user)
        return ChatV1.WithdrawFeedbackResponse()
    }

    /// Throws `ChatError.sessionNotFound` or `.messageNotFound`.
    private func checkIsThere(_ message: UUID?, in session: SessionID, of user: UUID) async throws {
        if let message {
            _ = try await messages.find(message, in: session, of: user)
        } else if try await sessions.find(session, of: user) == nil {
            throw ChatError.sessionNotFound(session)
        }
    }
}
