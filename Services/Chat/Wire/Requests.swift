internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

// What the requests must hold: each `parsed()` returns domain values, or throws INVALID_ARGUMENT naming every field
// that breaks a rule.

extension ChatV1.CreateSessionRequest {
    func parsed() throws(RPCError) -> (title: SessionTitle, clientID: ClientID?) {
        var violations = FieldViolations()
        let title = violations.value("title", self.title, SessionTitle.init(_:))
        let clientID = violations.optional("client_id", clientId, ClientID.init(_:))
        return (try violations.complete(title), clientID)
    }
}

extension ChatV1.GetSessionRequest {
    func parsed() throws(RPCError) -> SessionID { try .named(sessionId) }
}

extension ChatV1.RenameSessionRequest {
    func parsed() throws(RPCError) -> (session: SessionID, title: SessionTitle) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let title = violations.value("title", self.title, SessionTitle.init(_:))
        return try violations.complete(session, title)
    }
}

extension ChatV1.ArchiveSessionRequest {
    func parsed() throws(RPCError) -> SessionID { try .named(sessionId) }
}

extension ChatV1.RestoreSessionRequest {
    func parsed() throws(RPCError) -> SessionID { try .named(sessionId) }
}

extension SessionID {
    /// The id in a request whose only field is `session_id`.
    static func named(_ text: String) throws(RPCError) -> SessionID {
        var violations = FieldViolations()
        let id = violations.value("session_id", text, SessionID.init(parsing:))
        return try violations.complete(id)
    }
}

extension ChatV1.ListSessionsRequest {
    func parsed() throws(RPCError) -> (size: Int, place: SessionRepository.Place?) {
        var violations = FieldViolations()
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        let place = try PageToken.place(pageToken, of: query).map { SessionRepository.Place(updatedAt: $0.at, id: SessionID($0.id)) }
        return (try violations.complete(size), place)
    }

    private var query: [String] { ["sessions", "\(archived)"] }

    /// Where a page goes on.
    func token(behind session: ChatV1.Session) -> PageToken {
        // Made from an instant and an id, so that they are.
        let updatedAt = session.updatedAt.flatMap { Instant($0) } ?? Instant(microsecondsSinceEpoch: 0)
        return PageToken(query + ["\(updatedAt.microsecondsSinceEpoch)", session.id])
    }
}

extension ChatV1.AppendMessagesRequest {
    static let maxMessages = 100

    func parsed() throws(RPCError) -> (session: SessionID, messages: [NewMessage]) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        violations.check(
            (1...Self.maxMessages).contains(messages.count), "messages",
            "There must be 1 to \(Self.maxMessages) of them; there are \(messages.count).")

        var places: [ExactText: Int] = [:]
        var parsed: [NewMessage] = []
        for (place, message) in messages.prefix(Self.maxMessages).enumerated() {
            if let first = places.updateValue(place, forKey: ExactText(message.clientId)) {
                violations.add("messages[\(place)].client_id", "messages[\(first)] has the same client id.")
            }
            if let message = message.parsed(as: "messages[\(place)]", &violations) { parsed.append(message) }
        }
        return (try violations.complete(session), parsed)
    }
}

extension ChatV1.NewMessage {
    func parsed(as field: String, _ violations: inout FieldViolations) -> NewMessage? {
        let clientID = violations.value("\(field).client_id", clientId, ClientID.init(_:))
        let speaker = violations.value("\(field).role", role, Speaker.init(_:))
        let content = violations.value("\(field).content", self.content, MessageContent.init(_:))
        let metadata = violations.value("\(field).metadata", self.metadata, MessageMetadata.init(_:))
        guard let clientID, let speaker, let content, let metadata else { return nil }
        return NewMessage(clientID: clientID, speaker: speaker, content: content, metadata: metadata)
    }
}

/// Which of a session's messages a list goes on with.
enum MessageRange: Hashable, Sendable {
    case oldestFirst(after: Int64, upTo: Int64)
    case newestFirst(before: Int64)
}

extension ChatV1.ListMessagesRequest {
    func parsed() throws(RPCError) -> (session: SessionID, size: Int, range: MessageRange) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 50, most: 500)
        violations.check(lastSequence >= 0, "last_sequence", "It must be 0 or the sequence of a message.")
        let (id, limit) = try violations.complete(session, size)
        let last = lastSequence == 0 ? Int64.max : lastSequence
        let place = try pageToken.isEmpty ? nil : PageToken(parsing: pageToken, parts: 2).sequence(in: id, newestFirst: newestFirst)
        guard newestFirst else { return (id, limit, .oldestFirst(after: place ?? 0, upTo: last)) }
        return (id, limit, .newestFirst(before: min(place ?? .max, last == .max ? .max : last + 1)))
    }
}

// MARK: - Page tokens

extension PageToken {
    /// Where the newest come first the sequence is negative, so that neither list takes the other's token.
    init(behind message: ChatMessage, newestFirst: Bool) {
        self.init([message.sessionID.uuid.uuidString, String(newestFirst ? -message.sequence : message.sequence)])
    }

    /// The sequence that the page ended with, if the token is of a list of this session in this order.
    func sequence(in session: SessionID, newestFirst: Bool) throws(RPCError) -> Int64 {
        guard UUID(uuidString: parts[0]) == session.uuid, let sequence = Int64(parts[1]), sequence != .min,
            newestFirst ? sequence < 0 : sequence > 0
        else { throw PageToken.invalid }
        return abs(sequence)
    }
}
