internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The rows of `chat.content_verifications`, which are never changed. Every statement runs as the person whose rows it touches.
struct VerificationRepository: Sendable {
    let postgres: Postgres

    /// Keeps a verification, or returns the one that came with its id before.
    ///
    /// - Throws: `ChatError.verificationExists` if that one is another message's.
    func record(_ new: Verification, of user: UUID) async throws -> (verification: Verification, isNew: Bool) {
        try await postgres.transaction(identity: .user(user)) { transaction in
            if let made = try await transaction.first(.insert(new, of: user)) { return (made, true) }
            guard let kept = try await transaction.first(.verification(new.id, of: user)), kept.message == new.message else {
                throw ChatError.verificationExists
            }
            return (kept, false)
        }
    }

    /// The newest first; behind the one that was verified at a moment, if a place is given.
    func list(of message: UUID, after place: (at: Instant, id: UUID)?, limit: Int, of user: UUID) async throws(PostgresError) -> [Verification] {
        try await postgres.rows(.verifications(of: message, after: place, limit: limit, of: user), identity: .user(user))
    }
}

extension Statement<Verification> {
    /// No row if there is one with its id.
    static func insert(_ new: Verification, of user: UUID) -> Self {
        .writing(
            """
            INSERT INTO chat.content_verifications (user_id, \(Verification.columns)) VALUES (
                \(user), \(new.id), \(new.message), \(new.contentSHA256), \(new.claim), \(new.verdict), \(new.confidence),
                \(JSONB(Verification.text(new.sources))), \(new.explanation), \(new.verifier), \(new.verifiedAt)
            ) ON CONFLICT (user_id, id) DO NOTHING RETURNING \(Verification.columns)
            """)
    }

    static func verification(_ id: UUID, of user: UUID) -> Self {
        .reading("SELECT \(Verification.columns) FROM chat.content_verifications WHERE user_id = \(user) AND id = \(id)")
    }

    static func verifications(of message: UUID, after place: (at: Instant, id: UUID)?, limit: Int, of user: UUID) -> Self {
        let rest: Query = if let place { "AND (verified_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(Verification.columns) FROM chat.content_verifications
            WHERE user_id = \(user) AND message_id = \(message) \(rest) ORDER BY verified_at DESC, id DESC LIMIT \(limit)
            """)
    }
}

extension Verification: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, message_id, content_sha256, claim, verdict, confidence, sources, explanation, verifier, verified_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        message = try row.decode("message_id")
        contentSHA256 = try row.decode("content_sha256")
        claim = try row.decode("claim")
        verdict = try row.decode("verdict")
        confidence = try row.decode("confidence")
        sources = try Self.sources(try row.decode("sources", as: JSONB.self).text)
        explanation = try row.decode("explanation", as: String?.self) ?? ""
        verifier = try row.decode("verifier")
        verifiedAt = try row.decode("verified_at")
    }

    fileprivate static func text(_ sources: [VerificationSource]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // Texts alone, which JSON can always express.
        return (try? encoder.encode(sources)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    private static func sources(_ text: String) throws(PostgresError) -> [VerificationSource] {
        guard let sources = try? JSONDecoder().decode([VerificationSource].self, from: Data(text.utf8)) else {
            // The decoder's error may quote what it read.
            throw PostgresError(.decoding, "Column “sources” does not hold a list of sources.")
        }
        return sources
    }
}
