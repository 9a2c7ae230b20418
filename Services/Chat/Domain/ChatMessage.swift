internal import Application
internal import FoundationEssentials
internal import Time

/// Who speaks. The raw value is what the table holds.
enum Speaker: String, Hashable, Sendable, CaseIterable {
    case user, assistant, system, tool
}

/// What is said.
struct MessageContent: Hashable, Sendable {
    static let maxCharacters = 100_000

    let text: String

    init(_ text: String) throws(InvalidValue) {
        guard (1...Self.maxCharacters).contains(text.codePointCount) else {
            throw InvalidValue(sentence: "It must have 1 to 100,000 characters.")
        }
        self.text = try text.withoutNUL()
    }
}

/// What the app keeps with a message: one JSON object.
struct MessageMetadata: Hashable, Sendable {
    static let maxBytes = 16 << 10

    static let none = MessageMetadata(kept: "{}")

    /// The object as text. PostgreSQL may order its entries differently.
    let json: String

    init(json: String) throws(InvalidValue) {
        guard json.utf8.count <= Self.maxBytes else {
            throw InvalidValue(sentence: "As JSON it must take at most 16 KiB; it takes \(json.utf8.count) bytes.")
        }
        self.json = json
    }

    /// What the table returned: it was checked when it came, and PostgreSQL's text of it may be longer.
    init(kept json: String) { self.json = json }

    var isEmpty: Bool { json == "{}" }
}

/// A message that is to be added to the end of a session.
struct NewMessage: Hashable, Sendable {
    let clientID: ClientID
    let speaker: Speaker
    let content: MessageContent
    let metadata: MessageMetadata
}

/// A message as its session keeps it.
struct ChatMessage: Hashable, Sendable {
    let id: UUID
    let sessionID: SessionID
    /// Its place in the session, from 1, without gaps.
    let sequence: Int64
    let speaker: Speaker
    let content: String
    let metadata: MessageMetadata
    let clientID: String
    let createdAt: Instant
}
