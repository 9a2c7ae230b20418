internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import Testing
internal import Time
internal import Tokens

@testable internal import Chat

/// A person whom no other test knows.
struct Caller {
    let id = UUID()

    /// The context of a call that this person makes.
    var context: RPCContext {
        var context = RPCContext(method: ChatV1.ChatServiceMethods.getSession.descriptor)
        context[CallerIdentity.self] = CallerIdentity(
            AccessClaims(
                subject: id, tokenID: "test", role: .user, issuedAt: .now(), expiresAt: .now() + .seconds(60),
                sessionID: UUID()))
        return context
    }
}

extension ChatService {
    /// Opens a session; returns its id.
    func open(for caller: Caller) async throws -> String {
        try #require(try await createSession(.init(), context: caller.context).session?.id)
    }

    /// Says something in a new session.
    func say(_ text: String, as caller: Caller) async throws {
        _ = try await appendMessages(
            .init(sessionId: open(for: caller), messages: [.saying(text)]), context: caller.context)
    }
}

extension ChatV1.NewMessage {
    /// The content is the client id too, unless there is another.
    static func saying(
        _ content: String, as clientID: String? = nil, by role: ChatV1.Role = .user,
        with metadata: GoogleProtobuf.Struct? = nil
    ) -> ChatV1.NewMessage {
        ChatV1.NewMessage(clientId: clientID ?? content, role: role, content: content, metadata: metadata)
    }
}

extension GoogleProtobuf.Struct {
    static func text(ofLength length: Int) -> GoogleProtobuf.Struct {
        .init(fields: ["text": .init(kind: .stringValue(String(repeating: "x", count: length)))])
    }

    /// Numbers, of which each takes two bytes of JSON and eleven of a message.
    static func zeros(_ count: Int) -> GoogleProtobuf.Struct {
        let zero = GoogleProtobuf.Value(kind: .numberValue(0))
        return .init(fields: ["n": .init(kind: .listValue(.init(values: Array(repeating: zero, count: count))))])
    }
}
