internal import Contracts
internal import Crypto
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Chat

/// Lends the services, a person with a conversation of one message, and its ids.
private func withMessage(
    _ body: (ChatService, Caller, _ session: String, _ message: String) async throws -> Void
) async throws {
    try await withChat { chat in
        let ada = Caller()
        let session = try await chat.open(for: ada)
        let said = try await chat.appendMessages(
            .init(sessionId: session, messages: [.saying("Aspirin thins the blood.", as: "a", by: .assistant)]), context: ada.context)
        try await body(chat, ada, session, try #require(said.messages.first?.id))
    }
}

extension ChatService {
    fileprivate var feedback: FeedbackService {
        FeedbackService(feedback: FeedbackRepository(postgres: sessions.postgres), sessions: sessions, messages: messages)
    }

    fileprivate var verifications: VerificationsService {
        VerificationsService(verifications: VerificationRepository(postgres: sessions.postgres), messages: messages)
    }
}

@Suite struct `Feedback` {
    @Test func `takes the place of what came with its client id, and can be taken back`() async throws {
        try await withMessage { chat, ada, session, message in
            let up = try await chat.feedback.giveFeedback(
                .init(sessionId: session, messageId: message, clientId: "1", kind: .thumbs, rating: 1), context: ada.context)
            let down = try await chat.feedback.giveFeedback(
                .init(sessionId: session, messageId: message, clientId: "1", kind: .thumbs, rating: -1, comment: "No."), context: ada.context)
            let whole = try await chat.feedback.giveFeedback(
                .init(sessionId: session, clientId: "2", kind: .rating, rating: 5), context: ada.context)
            let list = try await chat.feedback.listFeedback(.init(sessionId: session), context: ada.context).feedback

            #expect(up.feedback?.id == down.feedback?.id)
            #expect(list == [whole.feedback, down.feedback].compactMap { $0 })
            #expect(list.map(\.rating) == [5, -1] && list.map(\.messageId) == [nil, message])

            let id = try #require(whole.feedback?.id)
            for _ in 0..<2 { _ = try await chat.feedback.withdrawFeedback(.init(feedbackId: id), context: ada.context) }
            #expect(try await chat.feedback.listFeedback(.init(sessionId: session), context: ada.context).feedback == [down.feedback])
        }
    }

    @Test func `is of one's own conversation and of a message that is in it`() async throws {
        try await withMessage { chat, ada, session, message in
            let bob = Caller()
            let other = try await chat.open(for: ada)
            func give(_ session: String, _ message: String?, _ caller: Caller) async throws -> ChatV1.GiveFeedbackResponse {
                try await chat.feedback.giveFeedback(
                    .init(sessionId: session, messageId: message, clientId: "1", kind: .thumbs, rating: 1), context: caller.context)
            }

            await expect(.notFound) { try await give(session, message, bob) }
            await expect(.notFound) { try await give(session, nil, bob) }
            await expect(.notFound) { try await give(other, message, ada) }
            await expect(.notFound) { try await chat.feedback.listFeedback(.init(sessionId: session), context: bob.context) }
            // Of a message that is in an archive as well.
            _ = try await chat.archiveSession(.init(sessionId: session), context: ada.context)
            #expect(try await give(session, message, ada).feedback?.messageId == message)
        }
    }

    @Test func `holds what its kind needs`() async throws {
        try await withMessage { chat, ada, session, _ in
            func refused(_ kind: ChatV1.FeedbackKind, _ rating: Int32?, _ fields: Set<String>) async {
                await expect(.invalidArgument, fields: fields) {
                    try await chat.feedback.giveFeedback(
                        .init(sessionId: session, clientId: "1", kind: kind, rating: rating), context: ada.context)
                }
            }
            await refused(.unspecified, nil, ["kind"])
            await refused(.thumbs, 2, ["rating"])
            await refused(.rating, 0, ["rating"])
            await refused(.rating, nil, ["rating"])
            await refused(.correction, 1, ["correction", "rating"])
            await refused(.report, 1, ["comment", "rating"])
        }
    }
}

@Suite struct `A verification` {
    private func finding(_ session: String, _ message: String, id: UUID = UUID()) -> ChatV1.RecordVerificationRequest {
        .init(
            sessionId: session, messageId: message, id: id.uuidString, claim: "Aspirin thins the blood.", verdict: .supported,
            confidence: 0.875, sources: [.init(collection: "vector_medical_knowledge", documentId: "I20.0", quote: "…")],
            explanation: "It does.", verifier: "judge 1.0")
    }

    @Test func `is kept once, with the digest of what it is about`() async throws {
        try await withMessage { chat, ada, session, message in
            let request = finding(session, message)
            let first = try await chat.verifications.recordVerification(request, context: ada.context)
            let again = try await chat.verifications.recordVerification(request, context: ada.context)
            let second = try await chat.verifications.recordVerification(finding(session, message), context: ada.context)
            let list = try await chat.verifications.listVerifications(
                .init(sessionId: session, messageId: message), context: ada.context).verifications
            let page = try await chat.verifications.listVerifications(
                .init(sessionId: session, messageId: message, pageSize: 1), context: ada.context)
            let rest = try await chat.verifications.listVerifications(
                .init(sessionId: session, messageId: message, pageSize: 1, pageToken: page.nextPageToken), context: ada.context)

            #expect(first.created && !again.created && second.created)
            #expect(first.verification == again.verification)
            #expect(first.verification?.contentSha256 == Array(SHA256.hash(data: Data("Aspirin thins the blood.".utf8))))
            #expect(first.verification?.sources == request.sources && first.verification?.confidence == 0.875)
            #expect(list == [second.verification, first.verification].compactMap { $0 })
            #expect(page.verifications + rest.verifications == list && rest.nextPageToken == "")
        }
    }

    @Test func `is listed in pages that fit into an answer`() async throws {
        try await withMessage { chat, ada, session, message in
            for _ in 0..<9 {
                var request = finding(session, message)
                request.sources = Array(
                    repeating: .init(uri: "https://example.org/", quote: String(repeating: "😀", count: 2_000)), count: 50)
                _ = try await chat.verifications.recordVerification(request, context: ada.context)
            }
            var ids: [[String]] = []
            var token = ""
            repeat {
                let page = try await chat.verifications.listVerifications(
                    .init(sessionId: session, messageId: message, pageSize: 100, pageToken: token), context: ada.context)
                ids.append(page.verifications.map(\.id))
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(ids.map(\.count) == [7, 2] && Set(ids.joined()).count == 9)
        }
    }

    @Test func `and feedback are listed by tokens of the same message and conversation`() async throws {
        try await withMessage { chat, ada, session, message in
            let other = try await chat.appendMessages(.init(sessionId: session, messages: [.saying("b")]), context: ada.context).messages
            let (second, elsewhere) = (try #require(other.first?.id), try await chat.open(for: ada))
            for client in ["1", "2"] {
                _ = try await chat.verifications.recordVerification(finding(session, message), context: ada.context)
                _ = try await chat.feedback.giveFeedback(
                    .init(sessionId: session, clientId: client, kind: .thumbs, rating: 1), context: ada.context)
            }
            let found = try await chat.verifications.listVerifications(
                .init(sessionId: session, messageId: message, pageSize: 1), context: ada.context).nextPageToken
            let said = try await chat.feedback.listFeedback(.init(sessionId: session, pageSize: 1), context: ada.context).nextPageToken

            #expect(!found.isEmpty && !said.isEmpty)
            for (id, token) in [(second, found), (message, said)] {
                await expect(.invalidArgument, fields: ["page_token"]) {
                    try await chat.verifications.listVerifications(
                        .init(sessionId: session, messageId: id, pageToken: token), context: ada.context)
                }
            }
            for (id, token) in [(elsewhere, said), (session, found)] {
                await expect(.invalidArgument, fields: ["page_token"]) {
                    try await chat.feedback.listFeedback(.init(sessionId: id, pageToken: token), context: ada.context)
                }
            }
        }
    }

    @Test func `is of a message of one's own`() async throws {
        try await withMessage { chat, ada, session, message in
            let bob = Caller()
            let id = UUID()
            _ = try await chat.verifications.recordVerification(finding(session, message, id: id), context: ada.context)
            let other = try await chat.appendMessages(.init(sessionId: session, messages: [.saying("b")]), context: ada.context)

            await expect(.notFound) { try await chat.verifications.recordVerification(finding(session, message), context: bob.context) }
            await expect(.notFound) {
                try await chat.verifications.listVerifications(.init(sessionId: session, messageId: message), context: bob.context)
            }
            await expect(.alreadyExists) {
                try await chat.verifications.recordVerification(
                    finding(session, try #require(other.messages.first?.id), id: id), context: ada.context)
            }
        }
    }

    @Test func `that breaks a rule is refused by the field`() async throws {
        try await withMessage { chat, ada, session, message in
            var request = finding(session, message)
            request.sources = []
            request.confidence = 1.5
            request.claim = ""
            request.verifier = ""
            await expect(.invalidArgument, fields: ["sources", "confidence", "claim", "verifier"]) {
                [request] in try await chat.verifications.recordVerification(request, context: ada.context)
            }
            request = finding(session, message)
            request.sources = [.init(collection: "c", uri: "https://example.org/"), .init(uri: "http://example.org/"), .init(collection: "c")]
            await expect(.invalidArgument, fields: ["sources[0]", "sources[0].document_id", "sources[1].uri", "sources[2].document_id"]) {
                [request] in try await chat.verifications.recordVerification(request, context: ada.context)
            }
            request = finding(session, message)
            request.verdict = .unclear
            request.sources = []
            let kept = try await chat.verifications.recordVerification(request, context: ada.context)
            #expect(kept.created)
        }
    }
}
