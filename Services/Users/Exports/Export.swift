internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension RecordFormat: PostgresDecodable, PostgresEncodable {}

/// A file of everything that is kept of a person, made or in the making.
struct Export: Hashable, Sendable {
    enum State: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case running, finished, failed
    }

    let id: UUID
    let clientID: String
    let format: RecordFormat
    let state: State
    /// Why it will not be finished.
    let failure: String?
    /// Of the whole file; there is one when it has finished.
    let sha256: [UInt8]?
    let requestedAt: Instant
    let finishedAt: Instant?
    let expiresAt: Instant
    /// How much of it has been written, and of how many records by type.
    let byteCount: Int64
    let counts: [String: Int64]

    /// How long it is kept after it was asked for.
    static let life = Duration.seconds(7 * 24 * 3_600)
    /// How many of a person are kept.
    static let most: Int64 = 5
    /// More than a million readings take in FHIR, which says most with them. A file of that size is one that nobody can use, and a database that
    /// holds a few such is full.
    static let mostBytes: Int64 = 4 << 30
}

extension Export: RowDecodable {
    /// The columns that the initialiser reads, of `users.exports AS e`.
    static let columns: Query = """
        e.id, e.client_id, e.format, e.state, e.failure, e.sha256, e.requested_at, e.finished_at, e.expires_at,
        coalesce((SELECT max(c.first_byte + octet_length(c.content)) FROM users.export_chunks c
                  WHERE c.user_id = e.user_id AND c.export_id = e.id), 0)::bigint AS byte_count,
        coalesce((SELECT jsonb_object_agg(written.type, written.count) FROM (
                      SELECT n.key AS type, sum(n.value::bigint) AS count FROM users.export_chunks c, jsonb_each_text(c.counts) AS n
                      WHERE c.user_id = e.user_id AND c.export_id = e.id GROUP BY n.key) AS written), '{}') AS counts
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        clientID = try row.decode("client_id")
        format = try row.decode("format")
        state = try row.decode("state")
        failure = try row.decode("failure")
        sha256 = try row.decode("sha256")
        requestedAt = try row.decode("requested_at")
        finishedAt = try row.decode("finished_at")
        expiresAt = try row.decode("expires_at")
        byteCount = try row.decode("byte_count")
        let written: JSONB = try row.decode("counts")
        do {
            counts = try JSONDecoder().decode([String: Int64].self, from: Data(written.text.utf8))
        } catch {
            throw PostgresError(.decoding, "Column “counts” holds no counts.")
        }
    }
}

/// Whose export is written, and which.
struct ExportSubject: Codable, Hashable, Sendable {
    let export: UUID
    let user: UUID
}

/// Some bytes of the file of an export.
struct ExportChunk: Hashable, Sendable {
    /// Where the work goes on behind a chunk: with which service, and at which place of what it tells.
    struct Next: Codable, Hashable, Sendable {
        let teller: String
        let place: String?
    }

    let firstByte: Int64
    let content: [UInt8]
    var counts: [String: Int64] = [:]
    /// `nil` when nothing is left to ask for.
    var next: Next?

    var end: Int64 { firstByte + Int64(content.count) }
}
