internal import LZ4
internal import Postgres

/// Packs archived conversations again: an export tells their messages one by one, and of the archives all but these.
///
/// The chain of checksums is made anew. They are those of the file wherever LZ4 packs into the same bytes, and hold in any case.
struct StagedArchives {
    let transaction: Transaction

    /// What the messages of an archive wait under: each archive's by themselves, since a person may have many.
    static func relation(of session: String) -> String { "chat.archived_messages \(session)" }

    /// Returns how many archives are left out, because not all of their messages are in the file.
    nonisolated(nonsending) func pack() async throws -> Int {
        var leftOut = 0
        var previous: [UInt8]?
        for number in try await transaction.rows(.stagedArchives) {
            guard let lines = try await transaction.first(.lines(of: number.value))?.value else {
                leftOut += try await transaction.execute(.leaveOut(number.value))
                continue
            }
            let bytes = Array(lines.utf8)
            let packed = LZ4.compress(bytes.span)
            previous = try await transaction.first(
                .pack(number.value, packed ?? bytes, as: packed == nil ? "identity" : "lz4", behind: previous))?.value
        }
        return leftOut
    }
}

extension Statement<Scalar<Int64>> {
    fileprivate static var stagedArchives: Self {
        .reading("SELECT number FROM pg_temp.restored WHERE relation = 'chat.session_archives' ORDER BY number")
    }
}

extension Statement<Scalar<String?>> {
    /// The messages of an archive as it had them, if they are all there: what the export put in front of each is taken away again.
    fileprivate static func lines(of archive: Int64) -> Self {
        .reading(
            """
            SELECT (SELECT string_agg(line, '' ORDER BY number)
                    FROM (SELECT m.number, '{' || substr(m.record::text, length('{"session_id":"",') + 37) || chr(10) AS line
                          FROM pg_temp.restored m WHERE m.relation = 'chat.archived_messages ' || (a.record ->> 'session_id')) AS messages
                    HAVING count(*) = (a.record ->> 'message_count')::bigint
                       AND sum(octet_length(line)) = least((a.record ->> 'uncompressed_bytes')::bigint, 67108864)) AS lines
            FROM pg_temp.restored a WHERE a.relation = 'chat.session_archives' AND a.number = \(archive)
            """)
    }
}

extension Statement<Void> {
    fileprivate static func leaveOut(_ archive: Int64) -> Self {
        .writing("DELETE FROM pg_temp.restored WHERE relation = 'chat.session_archives' AND number = \(archive)")
    }
}

extension Statement<Scalar<[UInt8]>> {
    /// Its checksum, which is made as Chat makes it.
    fileprivate static func pack(_ archive: Int64, _ content: [UInt8], as encoding: String, behind previous: [UInt8]?) -> Self {
        .writing(
            """
            WITH archive AS (
                SELECT a.user_id, a.sequence, a.session_id, a.title, a.message_count, a.first_message_at, a.last_message_at, a.uncompressed_bytes,
                       a.reason, a.archived_at, a.retain_until, \(encoding)::text AS encoding, \(content)::bytea AS content,
                       coalesce(\(previous)::bytea, decode(r.record ->> 'previous_checksum', 'base64')) AS previous_checksum
                FROM pg_temp.restored r CROSS JOIN LATERAL json_populate_record(NULL::chat.session_archives, r.record) AS a
                WHERE r.relation = 'chat.session_archives' AND r.number = \(archive)
            ), summed AS (
                SELECT encoding, content, previous_checksum,
                       sha256(coalesce(previous_checksum, '') || convert_to(jsonb_build_array(
                           user_id, sequence, session_id, title, message_count, extract(epoch FROM first_message_at),
                           extract(epoch FROM last_message_at), encoding, uncompressed_bytes, reason, extract(epoch FROM archived_at), retain_until
                       )::text, 'UTF8') || content) AS checksum
                FROM archive
            )
            UPDATE pg_temp.restored r SET record = (r.record::jsonb || jsonb_build_object(
                'encoding', s.encoding, 'content', encode(s.content, 'base64'), 'checksum', encode(s.checksum, 'base64'),
                'previous_checksum', encode(s.previous_checksum, 'base64')))::json
            FROM summed s WHERE r.relation = 'chat.session_archives' AND r.number = \(archive) RETURNING s.checksum
            """)
    }
}
