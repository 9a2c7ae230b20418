internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A conversation that is kept for years, compressed.
struct SessionArchive: Hashable, Sendable {
    enum Encoding: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case lz4, identity
    }

    enum Reason: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case age, request
        case accountClosed = "account_closed"
    }

    let session: UUID
    let title: String
    let messageCount: Int64
    let encoding: Encoding
    let content: [UInt8]
    let uncompressedBytes: Int64
    let reason: Reason
    let retainUntil: CivilDate
}

extension SessionArchive: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        session_id, title, message_count, encoding, content, uncompressed_bytes, reason, retain_until
        """

    init(row: Row) throws(PostgresError) {
        session = try row.decode("session_id")
        title = try row.decode("title")
        messageCount = try row.decode("message_count")
        encoding = try row.decode("encoding")
        content = try row.decode("content")
        uncompressedBytes = try row.decode("uncompressed_bytes")
        reason = try row.decode("reason")
        retainUntil = try row.decode("retain_until")
    }
}

/// The rows of `chat.session_archives`: a chain a person, each with the SHA-256 of all that it keeps and of the one before it.
struct SessionArchiveRepository: Sendable {
    let postgres: Postgres

    /// What a checksum is of: the one before, of which the first of a chain has none; every column, as a JSON array, which says itself
    /// where each begins and ends; and the content. Instants as seconds since 1970, since their text varies with the session's time zone.
    fileprivate static let checksum: Query = """
        sha256(coalesce(previous_checksum, '') || convert_to(jsonb_build_array(
            user_id, sequence, session_id, title, message_count, extract(epoch FROM first_message_at),
            extract(epoch FROM last_message_at), encoding, uncompressed_bytes, reason, extract(epoch FROM archived_at), retain_until
        )::text, 'UTF8') || content)
        """

    /// Adds an archive at the chain's end. Throws `.uniqueViolation` if the session has one.
    func append(_ archive: SessionArchive, of user: UUID) async throws(PostgresError) {
        _ = try await postgres.batch(
            .lockArchives(of: user), .append(archive, of: user), identity: .user(user))
    }

    /// The archive of a session, if its checksum holds.
    ///
    /// - Throws: `ChatError.archiveDamaged` if what is kept is not what was archived.
    func find(_ session: UUID, of user: UUID) async throws -> SessionArchive? {
        try await postgres.first(.find(session, of: user), identity: .user(user))?.checked()
    }

    /// The number of the first archive that is not what was added, or in whose place one is missing; `nil` if all hold.
    func firstBroken(of user: UUID) async throws(PostgresError) -> Int64? {
        try await postgres.first(.firstBroken(of: user), identity: .user(user))?.value
    }

    /// An archive, and whether its checksum holds.
    struct CheckedArchive: RowDecodable {
        let archive: SessionArchive
        let holds: Bool

        init(row: Row) throws(PostgresError) {
            archive = try SessionArchive(row: row)
            holds = try row.decode("holds")
        }

        /// Throws `ChatError.archiveDamaged` if the checksum does not hold.
        func checked() throws(ChatError) -> SessionArchive {
            guard holds else { throw .archiveDamaged }
            return archive
        }
    }
}

/// An archive and its number in the person's chain.
struct NumberedArchive: RowDecodable {
    let sequence: Int64
    let kept: SessionArchiveRepository.CheckedArchive

    init(row: Row) throws(PostgresError) {
        sequence = try row.decode("sequence")
        kept = try SessionArchiveRepository.CheckedArchive(row: row)
    }
}

extension Statement<Void> {
    static func lockArchives(of user: UUID) -> Self {
        .advisoryLock("chat.session_archives", of: user)
    }

    /// A statement of its own, behind the lock: only one that begins after it sees what its last holder committed.
    static func append(_ archive: SessionArchive, of user: UUID) -> Self {
        .writing(
            """
            WITH last AS (
                SELECT sequence, checksum FROM chat.session_archives WHERE user_id = \(user) ORDER BY sequence DESC LIMIT 1
            ), entry AS (
                SELECT \(user)::uuid AS user_id, coalesce((SELECT sequence FROM last), 0) + 1 AS sequence,
                       (SELECT checksum FROM last) AS previous_checksum, clock_timestamp() AS archived_at,
                       NULL::timestamptz AS first_message_at, NULL::timestamptz AS last_message_at,
                       \(archive.session)::uuid AS session_id, \(archive.title)::text AS title,
                       \(archive.messageCount)::bigint AS message_count, \(archive.encoding)::text AS encoding,
                       \(archive.content)::bytea AS content, \(archive.uncompressedBytes)::bigint AS uncompressed_bytes,
                       \(archive.reason)::text AS reason, \(archive.retainUntil)::date AS retain_until
            )
            INSERT INTO chat.session_archives (user_id, sequence, previous_checksum, archived_at, \(SessionArchive.columns), checksum)
            SELECT user_id, sequence, previous_checksum, archived_at, \(SessionArchive.columns), \(SessionArchiveRepository.checksum)
            FROM entry
            """,
            tier: .normal)
    }
}

extension Statement<SessionArchiveRepository.CheckedArchive> {
    static func find(_ session: UUID, of user: UUID) -> Self {
        .reading(
            """
            SELECT \(SessionArchive.columns), checksum = \(SessionArchiveRepository.checksum) AS holds FROM chat.session_archives
            WHERE user_id = \(user) AND session_id = \(session)
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<Int64>> {
    static func firstBroken(of user: UUID) -> Self {
        .reading(
            """
            SELECT place FROM (
                SELECT row_number() OVER chain AS place, sequence, checksum, \(SessionArchiveRepository.checksum) AS recomputed, previous_checksum,
                       lag(checksum) OVER chain AS checksum_before
                FROM chat.session_archives WHERE user_id = \(user) WINDOW chain AS (ORDER BY sequence)
            ) AS archives
            WHERE sequence <> place OR checksum <> recomputed OR previous_checksum IS DISTINCT FROM checksum_before
            ORDER BY place LIMIT 1
            """,
            tier: .slow, mayLag: true)
    }
}

extension Statement<NumberedArchive> {
    /// The first of this number or a larger one.
    static func archive(of user: UUID, from sequence: Int64) -> Self {
        .reading(
            """
            SELECT sequence, \(SessionArchive.columns), checksum = \(SessionArchiveRepository.checksum) AS holds FROM chat.session_archives
            WHERE user_id = \(user) AND sequence >= \(sequence) ORDER BY sequence LIMIT 1
            """,
            tier: .normal)
    }
}
