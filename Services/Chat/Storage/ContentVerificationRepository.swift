internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Whether something that the assistant said holds, and by what.
struct ContentVerification: Hashable, Sendable {
    enum Verdict: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case supported, contradicted, unsupported, unclear
    }

    var id: UUID
    var messageID: UUID?
    var contentSHA256: [UInt8]
    var claim: String
    var verdict: Verdict
    var confidence: Numeric
    var sources: JSONB = JSONB("[]")
    var explanation: String?
    var verifier: String
    var verifiedAt: Instant
}

extension ContentVerification: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, message_id, content_sha256, claim, verdict, confidence, sources, explanation, verifier, verified_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        messageID = try row.decode("message_id")
        contentSHA256 = try row.decode("content_sha256")
        claim = try row.decode("claim")
        verdict = try row.decode("verdict")
        confidence = try row.decode("confidence")
        sources = try row.decode("sources")
        explanation = try row.decode("explanation")
        verifier = try row.decode("verifier")
        verifiedAt = try row.decode("verified_at")
    }
}

/// The rows of `chat.content_verifications`. Every statement runs as the person whose rows it touches.
struct ContentVerificationRepository: PersonalRecords {
    static let table: Query = "chat.content_verifications"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: ContentVerification, of user: UUID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user))
    }
}

extension Statement<Void> {
    static func insert(_ record: ContentVerification, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.content_verifications (
                user_id, id, message_id, content_sha256, claim, verdict, confidence, sources, explanation,
                verifier, verified_at
            ) VALUES (
                \(user), \(record.id), \(record.messageID), \(record.contentSHA256), \(record.claim),
                \(record.verdict), \(record.confidence), \(record.sources), \(record.explanation),
                \(record.verifier), \(record.verifiedAt)
            )
            """)
    }
}
