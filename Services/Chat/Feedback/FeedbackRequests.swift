internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension ChatV1.GiveFeedbackRequest {
    func parsed() throws(RPCError) -> NewFeedback {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let message = violations.optional("message_id", messageId, UUID.init(parsing:))
        let clientID = violations.value("client_id", clientId, ClientID.init(_:))
        let kind = violations.value("kind", self.kind, Opinion.Kind.init(_:))
        violations.checkText("comment", comment ?? "", atMost: 4_000)
        violations.checkText("correction", correction ?? "", atMost: 10_000)
        switch kind {
        case .thumbs: violations.check(rating == 1 || rating == -1, "rating", "Thumbs are up, 1, or down, -1.")
        case .rating: violations.check(rating.map { (1...5).contains($0) } ?? false, "rating", "A rating is 1 to 5.")
        case .correction:
            violations.check(!(correction ?? "").isEmpty, "correction", "A correction says what should have been said.")
            violations.check(rating == nil, "rating", "A correction has none.")
        case .report:
            violations.check(!(comment ?? "").isEmpty, "comment", "A report says what is wrong.")
            violations.check(rating == nil, "rating", "A report has none.")
        case nil: break
        }
        let (inSession, known, ofKind) = try violations.complete(session, clientID, kind)
        let opinion = Opinion(kind: ofKind, rating: rating.map { Int16($0) }, comment: comment, correction: correction)
        return NewFeedback(clientID: known, session: inSession, message: message, opinion: opinion)
    }
}

extension ChatV1.ListFeedbackRequest {
    func parsed() throws(RPCError) -> (session: SessionID, size: Int, place: UUID?) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        let (id, limit) = try violations.complete(session, size)
        return (id, limit, try PageToken.id(pageToken, of: Self.query(id)))
    }

    /// What a page's token is of.
    static func query(_ session: SessionID) -> [String] { ["feedback", session.uuid.text] }
}

extension ChatV1.WithdrawFeedbackRequest {
    func parsed() throws(RPCError) -> UUID {
        var violations = FieldViolations()
        let id = violations.value("feedback_id", feedbackId, UUID.init(parsing:))
        return try violations.complete(id)
    }
}

extension FieldViolations {
    /// Notes a text that is too long, or that PostgreSQL cannot keep.
    mutating func checkText(_ field: String, _ text: String, atMost most: Int) {
        check(text.codePointCount <= most, field, "It must have at most \(most) characters.")
        check(!text.hasNUL, field, "It must not hold a NUL character.")
    }
}

extension ChatV1.Feedback {
    init(_ feedback: Feedback) {
        self.init(
            id: feedback.id.text, sessionId: feedback.session.uuid.text,
            messageId: feedback.message?.text, kind: .init(feedback.opinion.kind),
            rating: feedback.opinion.rating.map { Int32($0) }, comment: feedback.opinion.comment,
            correction: feedback.opinion.correction, clientId: feedback.clientID, createdAt: .init(feedback.createdAt),
            updatedAt: .init(feedback.updatedAt))
    }
}

extension ChatV1.FeedbackKind {
    init(_ kind: Opinion.Kind) {
        self =
            switch kind {
            case .thumbs: .thumbs
            case .rating: .rating
            case .correction: .correction
            case .report: .report
            }
    }
}

extension Opinion.Kind {
    init(_ kind: ChatV1.FeedbackKind) throws(InvalidValue) {
        switch kind {
        case .thumbs: self = .thumbs
        case .rating: self = .rating
        case .correction: self = .correction
        case .report: self = .report
        case .unspecified, .unrecognized: throw InvalidValue(sentence: "It must be one of the kinds that FeedbackKind names.")
        }
    }
}
