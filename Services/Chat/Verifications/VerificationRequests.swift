internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller found of a message.
struct Finding: Hashable, Sendable {
    let id: UUID
    let message: UUID
    let claim: String
    let verdict: Verdict
    let confidence: Share
    let sources: [VerificationSource]
    let explanation: String
    let verifier: String

    func verification(of sha256: [UInt8], at moment: Instant) -> Verification {
        Verification(
            id: id, message: message, contentSHA256: sha256, claim: claim, verdict: verdict, confidence: confidence, sources: sources,
            explanation: explanation, verifier: verifier, verifiedAt: moment)
    }
}

extension ChatV1.RecordVerificationRequest {
    static let maxSources = 50

    func parsed() throws(RPCError) -> (session: SessionID, finding: Finding) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let message = violations.value("message_id", messageId, UUID.init(parsing:))
        let id = violations.value("id", self.id, UUID.init(parsing:))
        let verdict = violations.value("verdict", self.verdict, Verdict.init(_:))
        let confidence = violations.value("confidence", self.confidence, Share.init(_:))
        violations.check(!claim.isEmpty, "claim", "The field is needed.")
        violations.checkText("claim", claim, atMost: 10_000)
        violations.checkText("explanation", explanation, atMost: 10_000)
        violations.check(!verifier.isEmpty, "verifier", "The field is needed.")
        violations.checkText("verifier", verifier, atMost: 200)
        violations.check(sources.count <= Self.maxSources, "sources", "There are \(sources.count); at most \(Self.maxSources) are kept.")
        if verdict?.needsSource ?? false {
            violations.check(!sources.isEmpty, "sources", "This verdict rests on a source, so one is needed.")
        }
        let sources = self.sources.prefix(Self.maxSources).enumerated().compactMap { place, source in
            source.parsed(as: "sources[\(place)]", &violations)
        }
        let (inSession, ofMessage, named, found, sure) = try violations.complete(session, message, id, verdict, confidence)
        return (
            inSession,
            Finding(
                id: named, message: ofMessage, claim: claim, verdict: found, confidence: sure, sources: sources,
                explanation: explanation, verifier: verifier)
        )
    }
}

extension ChatV1.VerificationSource {
    fileprivate func parsed(as field: String, _ violations: inout FieldViolations) -> VerificationSource {
        let isPassage = !collection.isEmpty || !documentId.isEmpty
        violations.check(isPassage != !uri.isEmpty, field, "It is either a passage of a collection or something at a URI.")
        if isPassage {
            violations.check(!collection.isEmpty, "\(field).collection", "The field is needed.")
            violations.check(!documentId.isEmpty, "\(field).document_id", "The field is needed.")
        }
        if !uri.isEmpty { violations.check(uri.hasPrefix("https://"), "\(field).uri", "It must be an https URL.") }
        violations.checkText("\(field).collection", collection, atMost: 63)
        violations.checkText("\(field).document_id", documentId, atMost: 256)
        violations.checkText("\(field).uri", uri, atMost: 2_048)
        violations.checkText("\(field).quote", quote, atMost: 2_000)
        func given(_ text: String) -> String? { text.isEmpty ? nil : text }
        return VerificationSource(
            collection: given(collection), document: given(documentId), uri: given(uri), quote: given(quote))
    }
}

extension ChatV1.ListVerificationsRequest {
    func parsed() throws(RPCError) -> (session: SessionID, message: UUID, size: Int, place: (at: Instant, id: UUID)?) {
        var violations = FieldViolations()
        let session = violations.value("session_id", sessionId, SessionID.init(parsing:))
        let message = violations.value("message_id", messageId, UUID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 20, most: 100)
        let (inSession, ofMessage, limit) = try violations.complete(session, message, size)
        return (inSession, ofMessage, limit, try PageToken.place(pageToken, of: Self.query(ofMessage)))
    }

    /// What a page's token is of.
    static func query(_ message: UUID) -> [String] { ["verifications", message.text] }
}

extension ChatV1.Verification {
    init(_ verification: Verification) {
        self.init(
            id: verification.id.text, messageId: verification.message.text,
            contentSha256: verification.contentSHA256, claim: verification.claim, verdict: .init(verification.verdict),
            confidence: verification.confidence.value, sources: verification.sources.map { .init($0) },
            explanation: verification.explanation, verifier: verification.verifier, verifiedAt: .init(verification.verifiedAt))
    }
}

extension ChatV1.VerificationSource {
    fileprivate init(_ source: VerificationSource) {
        self.init(
            collection: source.collection ?? "", documentId: source.document ?? "", uri: source.uri ?? "", quote: source.quote ?? "")
    }
}

extension ChatV1.Verdict {
    init(_ verdict: Verdict) {
        self =
            switch verdict {
            case .supported: .supported
            case .contradicted: .contradicted
            case .unsupported: .unsupported
            case .unclear: .unclear
            }
    }
}

extension Verdict {
    init(_ verdict: ChatV1.Verdict) throws(InvalidValue) {
        switch verdict {
        case .supported: self = .supported
        case .contradicted: self = .contradicted
        case .unsupported: self = .unsupported
        case .unclear: self = .unclear
        case .unspecified, .unrecognized: throw InvalidValue(sentence: "It must be one of the verdicts that Verdict names.")
        }
    }
}
