internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension ChatV1.StreamMessageRequest? {
    /// The first request of a call.
    func beginning() throws(RPCError) -> NewDraft {
        guard case .beginning(let beginning)? = self?.step else {
            throw .invalid([("beginning", "The first request of a call begins the message.")])
        }
        var violations = FieldViolations()
        let session = violations.value("beginning.session_id", beginning.sessionId, SessionID.init(parsing:))
        let clientID = violations.value("beginning.client_id", beginning.clientId, ClientID.init(_:))
        let speaker = violations.value("beginning.role", beginning.role, Speaker.init(_:))
        let metadata = violations.value("beginning.metadata", beginning.metadata, MessageMetadata.init(_:))
        let (inSession, known, by, notes) = try violations.complete(session, clientID, speaker, metadata)
        return NewDraft(session: inSession, clientID: known, speaker: by, metadata: notes)
    }
}

extension ChatV1.StreamMessageRequest {
    /// A request behind the first.
    ///
    /// - Parameter end: when the token of the call expires. What comes later is nobody's.
    func continuation(before end: Instant, now: Instant = .now()) throws(RPCError) -> PieceKeeper.Step {
        guard now < end else {
            throw RPCError(.unauthenticated, "The access token has expired. Begin the message again with a new one; it goes on behind what is kept.")
        }
        var violations = FieldViolations()
        switch step {
        case .piece(let piece):
            violations.check(!piece.text.isEmpty, "piece.text", "A piece has at least one character.")
            violations.check(!piece.text.hasNUL, "piece.text", "It must not hold a NUL character.")
            let isWithin = (0...Int64(PieceSequence.maxBytes)).contains(piece.offset) && piece.text.utf8.count <= PieceSequence.maxBytes - Int(piece.offset)
            violations.check(
                isWithin, "piece", "A message has at most 100,000 characters, which are at most \(PieceSequence.maxBytes) bytes.")
            try violations.throwIfAny()
            return .piece(piece.text, offset: Int(piece.offset))
        case .ending(let ending):
            violations.check((1...Int64(PieceSequence.maxBytes)).contains(ending.length), "ending.length", "A message has at least one character.")
            try violations.throwIfAny()
            return .ending(length: Int(ending.length))
        case .beginning, nil:
            throw .invalid([("step", "Behind the first request come pieces, and one ending.")])
        }
    }
}

extension ChatV1.ListDraftsRequest {
    func parsed() throws(RPCError) -> SessionID { try .named(sessionId) }
}

extension ChatV1.DiscardDraftRequest {
    func parsed() throws(RPCError) -> (session: SessionID, clientID: ClientID) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let clientID = violations.value("client_id", clientId, ClientID.init(_:))
        return try violations.complete(session, clientID)
    }
}

extension ChatV1.Draft {
    init(_ draft: Draft) throws {
        self.init(
            sessionId: draft.session.uuid.text, clientId: draft.clientID, role: .init(draft.speaker),
            content: draft.content, metadata: try .kept(draft.metadata), createdAt: .init(draft.createdAt),
            updatedAt: .init(draft.updatedAt))
    }
}
