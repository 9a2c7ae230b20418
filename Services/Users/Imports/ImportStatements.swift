internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Statement<Import> {
    /// Those whose time is not over, the newest first.
    static func imports(of user: UserID) -> Self {
        .reading(
            """
            SELECT \(Import.columns) FROM users.imports i WHERE i.user_id = \(user.uuid) AND i.expires_at > clock_timestamp()
            ORDER BY i.id DESC
            """)
    }

    static func importJob(_ id: UUID, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(Import.columns) FROM users.imports i
            WHERE i.user_id = \(user.uuid) AND i.id = \(id) AND i.expires_at > clock_timestamp()
            """)
    }
}

extension Statement<Scalar<UUID>> {
    /// Whoever else writes to the import comes behind.
    static func lockImport(_ id: UUID, of user: UserID) -> Self {
        .writing("SELECT id FROM users.imports WHERE user_id = \(user.uuid) AND id = \(id) FOR NO KEY UPDATE")
    }

    /// Those of some providers who are known here.
    static func knownProviders(_ ids: [UUID]) -> Self {
        .reading("SELECT id FROM users.providers WHERE id = ANY(\(ids))")
    }
}

extension Statement<ImportChunk> {
    /// The last that begins there or before.
    static func chunk(of subject: ImportSubject, at byte: Int64) -> Self {
        .reading(
            """
            SELECT first_byte, content FROM users.import_chunks
            WHERE user_id = \(subject.user) AND import_id = \(subject.import) AND first_byte <= \(byte) ORDER BY first_byte DESC LIMIT 1
            """,
            tier: .normal)
    }
}

extension Statement<ImportRepository.Unfinished> {
    static func unfinishedImports(requestedBefore moment: Instant) -> Self {
        .reading("SELECT import_id, user_id FROM users.unfinished_imports(\(moment), 1000)", tier: .normal)
    }
}

extension Statement<Scalar<Int64>> {
    static var removeExpiredImports: Self {
        .writing("SELECT users.remove_expired_imports(100) AS removed", tier: .slow)
    }

    static func countAppointments(of user: UserID) -> Self {
        .reading("SELECT count(*) FROM users.appointments WHERE user_id = \(user.uuid)")
    }
}

extension Statement<Appointment> {
    static func appointments(_ ids: [UUID], of user: UserID) -> Self {
        .reading("SELECT \(Appointment.columns) FROM users.appointments WHERE user_id = \(user.uuid) AND id = ANY(\(ids))")
    }
}

extension Statement<Void> {
    static func start(_ id: UUID, _ wish: ImportWish, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.imports (user_id, id, client_id, format, source, byte_count, sha256, expires_at)
            VALUES (\(user.uuid), \(id), \(wish.clientID.text), \(wish.format), \(wish.source), \(wish.byteCount), \(wish.sha256),
                    clock_timestamp() + make_interval(secs => \(Double(Import.life.components.seconds))))
            """)
    }

    static func removeExpiredImport(_ clientID: ClientID, of user: UserID) -> Self {
        .writing(
            """
            DELETE FROM users.imports
            WHERE user_id = \(user.uuid) AND expires_at <= clock_timestamp()
              AND (client_id = \(clientID.text) OR state IN ('uploading', 'running'))
            """,
            tier: .slow)
    }

    static func removeImport(_ id: UUID, of user: UserID) -> Self {
        .writing("DELETE FROM users.imports WHERE user_id = \(user.uuid) AND id = \(id)", tier: .normal)
    }

    /// Puts bytes behind the last row, or into it while that is small.
    static func append(_ content: [UInt8], at byte: Int64, to id: UUID, of user: UserID) -> Self {
        .writing(
            """
            WITH last AS (
                DELETE FROM users.import_chunks
                WHERE user_id = \(user.uuid) AND import_id = \(id) AND first_byte = (
                        SELECT max(c.first_byte) FROM users.import_chunks c WHERE c.user_id = \(user.uuid) AND c.import_id = \(id))
                    AND octet_length(content) < \(ImportChunk.small) AND octet_length(content) <= \(Import.mostBytesAtOnce - content.count)
                RETURNING first_byte, content
            )
            INSERT INTO users.import_chunks (user_id, import_id, first_byte, content)
            SELECT \(user.uuid), \(id), coalesce((SELECT first_byte FROM last), \(byte)),
                   coalesce((SELECT content FROM last), '') || \(content)
            """,
            tier: .normal)
    }

    /// No row if somebody else was first.
    static func beginTaking(_ subject: ImportSubject) -> Self {
        .writing(
            """
            UPDATE users.imports SET state = 'running' WHERE user_id = \(subject.user) AND id = \(subject.import) AND state = 'uploading'
            """)
    }

    /// No row if it does not run, or another run has come further.
    static func goOn(_ subject: ImportSubject, from place: EntryReader.Place, to next: EntryReader.Place, _ counts: ImportCounts) -> Self {
        .writing(
            """
            UPDATE users.imports SET next_entry = \(next.entry), next_byte = \(next.byte), counts = \(JSONB(counts))
            WHERE user_id = \(subject.user) AND id = \(subject.import) AND state = 'running' AND next_byte = \(place.byte)
              AND expires_at > clock_timestamp()
            """)
    }

    /// Nobody needs its file any more.
    static func finishImport(_ subject: ImportSubject, at place: EntryReader.Place) -> Self {
        .writing(
            """
            WITH finished AS (
                UPDATE users.imports SET state = 'finished', finished_at = clock_timestamp()
                WHERE user_id = \(subject.user) AND id = \(subject.import) AND state = 'running' AND next_byte = \(place.byte) RETURNING user_id, id
            )
            DELETE FROM users.import_chunks c USING finished WHERE c.user_id = finished.user_id AND c.import_id = finished.id
            """,
            tier: .slow)
    }

    static func failImport(_ subject: ImportSubject, because reason: String) -> Self {
        .writing(
            """
            WITH failed AS (
                UPDATE users.imports SET state = 'failed', finished_at = clock_timestamp(), failure = \(reason)
                WHERE user_id = \(subject.user) AND id = \(subject.import) AND state IN ('uploading', 'running') RETURNING user_id, id
            )
            DELETE FROM users.import_chunks c USING failed WHERE c.user_id = failed.user_id AND c.import_id = failed.id
            """,
            tier: .slow)
    }
}
