internal import Application
internal import FoundationEssentials
internal import Time

/// Names one conversation.
struct SessionID: Hashable, Sendable {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    /// An id that no session has.
    static func make() -> SessionID { SessionID(UUIDv7.make()) }

    init(parsing text: String) throws(InvalidValue) {
        guard let uuid = UUID(uuidString: text) else {
            throw InvalidValue(sentence: "It must be the id of a session, a UUID.")
        }
        self.init(uuid)
    }
}

/// What a conversation is called; it may be empty.
struct SessionTitle: Hashable, Sendable {
    static let maxCharacters = 200

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard text.codePointCount <= Self.maxCharacters else {
            throw InvalidValue(sentence: "It must have at most \(Self.maxCharacters) characters.")
        }
        self.text = try text.withoutNUL()
    }
}

/// The app's own id of something that it may send again: what carries it is kept once.
struct ClientID: Hashable, Sendable {
    static let maxCharacters = 128

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount) else {
            throw InvalidValue(sentence: "It must have 1 to \(Self.maxCharacters) characters.")
        }
        self.text = try text.withoutNUL()
    }
}

/// One conversation of a person with the assistant.
struct Session: Hashable, Sendable {
    let id: SessionID
    let title: String
    /// How many messages it has, and so the sequence of the last.
    let messageCount: Int64
    let createdAt: Instant
    /// When it was used last.
    let updatedAt: Instant
    /// When its person put it away.
    let archivedAt: Instant?
}
