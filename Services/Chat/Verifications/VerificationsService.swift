internal import Application
internal import Contracts
internal import Crypto
internal import FoundationEssentials
internal import RPC
internal import Time

/// Answers the calls of heartguard.chat.v1.VerificationsService.
struct VerificationsService: Sendable {
    let verifications: VerificationRepository
    let messages: MessageRepository
}

extension VerificationsService: ChatV1.VerificationsServiceProtocol {
    func recordVerification(
        _ request: ChatV1.RecordVerificationRequest, context: RPCContext
    ) async throws -> ChatV1.RecordVerificationResponse {
        let user = try context.caller().userID
        let (session, finding) = try request.parsed()

        let message = try await messages.find(finding.message, in: session, of: user)
        let new = finding.verification(of: Array(SHA256.hash(data: Data(message.content.utf8))), at: .now())
        let (kept, isNew) = try await verifications.record(new, of: user)
        return ChatV1.RecordVerificationResponse(verification: .init(kept), created: isNew)
    }

    func listVerifications(
        _ request: ChatV1.ListVerificationsRequest, context: RPCContext
    ) async throws -> ChatV1.ListVerificationsResponse {
        let user = try context.caller().userID
        let (session, message, size, place) = try request.parsed()

        _ = try await messages.find(message, in: session, of: user)
        // One more than asked for tells whether there is a next page.
        let found = try await verifications.list(of: message, after: place, limit: size + 1, of: user)
        let (page, next) = PageToken.page(found, of: size, telling: { ChatV1.Verification($0) }) {
            PageToken(of: ChatV1.ListVerificationsRequest.query(message), behind: $0.verifiedAt, $0.id)
        }
        return ChatV1.ListVerificationsResponse(verifications: page, nextPageToken: next)
    }
}
