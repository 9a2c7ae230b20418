internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Time

extension ChatV1.Session {
    init(_ session: Session) {
        self.init(
            id: session.id.uuid.text, title: session.title, messageCount: session.messageCount,
            createdAt: .init(session.createdAt), updatedAt: .init(session.updatedAt),
            archivedAt: session.archivedAt.map { .init($0) })
    }
}

extension ChatV1.Message {
    init(_ message: ChatMessage) throws {
        self.init(withoutContent: message)
        content = message.content
        metadata = try GoogleProtobuf.Struct.kept(message.metadata)
    }

    /// All but the content and the metadata, which may be long.
    init(withoutContent message: ChatMessage) {
        self.init(
            id: message.id.text, sessionId: message.sessionID.uuid.text,
            sequence: message.sequence, role: .init(message.speaker), clientId: message.clientID, createdAt: .init(message.createdAt))
    }
}

extension ChatV1.Role {
    init(_ speaker: Speaker) {
        self =
            switch speaker {
            case .user: .user
            case .assistant: .assistant
            case .system: .system
            case .tool: .tool
            }
    }
}

extension Speaker {
    init(_ role: ChatV1.Role) throws(InvalidValue) {
        switch role {
        case .user: self = .user
        case .assistant: self = .assistant
        case .system: self = .system
        case .tool: self = .tool
        case .unspecified, .unrecognized:
            throw InvalidValue(sentence: "It must be ROLE_USER, ROLE_ASSISTANT, ROLE_SYSTEM or ROLE_TOOL.")
        }
    }
}
