internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Statement<Export> {
    /// Those whose time is not over, the newest first.
    static func exports(of user: UserID) -> Self {
        .reading(
            """
            SELECT \(Export.columns) FROM users.exports e WHERE e.user_id = \(user.uuid) AND e.expires_at > clock_timestamp()
            ORDER BY e.id DESC
            """)
    }

    static func export(_ id: UUID, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(Export.columns) FROM users.exports e
            WHERE e.user_id = \(user.uuid) AND e.id = \(id) AND e.expires_at > clock_timestamp()
            """)
    }
}

extension Statement<ExportChunk> {
    /// The last that begins there or before.
    static func chunk(of export: UUID, _ user: UserID, at byte: Int64) -> Self {
        .reading(
            """
            SELECT first_byte, content FROM users.export_chunks
            WHERE user_id = \(user.uuid) AND export_id = \(export) AND first_byte <= \(byte) ORDER BY first_byte DESC LIMIT 1
            """,
            tier: .normal)
    }
}

extension Statement<ExportRepository.Standing> {
    static func lastChunk(of subject: ExportSubject) -> Self {
        .reading(
            """
            SELECT first_byte + octet_length(content) AS behind, next FROM users.export_chunks
            WHERE user_id = \(subject.user) AND export_id = \(subject.export) ORDER BY first_byte DESC LIMIT 1
            """)
    }
}

extension Statement<ExportRepository.Unfinished> {
    static func unfinishedExports(requestedBefore moment: Instant) -> Self {
        .reading("SELECT export_id, user_id FROM users.unfinished_exports(\(moment), 1000)", tier: .normal)
    }
}

extension Statement<Scalar<Int64>> {
    static var removeExpiredExports: Self {
        .writing("SELECT users.remove_expired_exports(100) AS removed", tier: .slow)
    }
}

extension Statement<Scalar<UUID>> {
    /// No row for an account that is closed.
    static func lockAccount(_ user: UserID) -> Self {
        .writing("SELECT id FROM users.users WHERE id = \(user.uuid) AND erasure_id IS NULL FOR NO KEY UPDATE")
    }
}

extension Statement<Void> {
    static func start(_ id: UUID, _ clientID: ClientID, as format: RecordFormat, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.exports (user_id, id, client_id, format, expires_at)
            VALUES (\(user.uuid), \(id), \(clientID.text), \(format), clock_timestamp() + make_interval(secs => \(Double(Export.life.components.seconds))))
            """)
    }

    static func removeExpired(_ clientID: ClientID, of user: UserID) -> Self {
        .writing(
            """
            DELETE FROM users.exports
            WHERE user_id = \(user.uuid) AND expires_at <= clock_timestamp() AND (client_id = \(clientID.text) OR state = 'running')
            """,
            tier: .slow)
    }

    static func removeExport(_ id: UUID, of user: UserID) -> Self {
        .writing("DELETE FROM users.exports WHERE user_id = \(user.uuid) AND id = \(id)", tier: .normal)
    }

    /// No row if there is no such export that runs, or another has written there.
    static func append(_ chunk: ExportChunk, to subject: ExportSubject) -> Self {
        .writing(
            """
            INSERT INTO users.export_chunks (user_id, export_id, first_byte, content, counts, next)
            SELECT e.user_id, e.id, \(chunk.firstByte)::bigint, \(chunk.content)::bytea, \(JSONB(chunk.counts))::jsonb, \(chunk.next.map { JSONB($0) })::jsonb
            FROM users.exports e
            WHERE e.user_id = \(subject.user) AND e.id = \(subject.export) AND e.state = 'running' AND e.expires_at > clock_timestamp()
            ON CONFLICT DO NOTHING
            """,
            tier: .normal)
    }

    static func finish(_ subject: ExportSubject, sha256: [UInt8]) -> Self {
        .writing(
            """
            UPDATE users.exports SET state = 'finished', finished_at = clock_timestamp(), sha256 = \(sha256)
            WHERE user_id = \(subject.user) AND id = \(subject.export) AND state = 'running'
            """)
    }

    /// Its chunks go too, since nobody can use them.
    static func fail(_ subject: ExportSubject, because reason: String) -> Self {
        .writing(
            """
            WITH failed AS (
                UPDATE users.exports SET state = 'failed', finished_at = clock_timestamp(), failure = \(reason)
                WHERE user_id = \(subject.user) AND id = \(subject.export) AND state = 'running' RETURNING user_id, id
            )
            DELETE FROM users.export_chunks c USING failed WHERE c.user_id = failed.user_id AND c.export_id = failed.id
            """,
            tier: .slow)
    }
}

extension JSONB {
    /// Strings and whole numbers, which can always be written.
    init(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let json = try? encoder.encode(value) else { preconditionFailure("strings and whole numbers are JSON") }
        self.init(String(decoding: json, as: UTF8.self))
    }
}
