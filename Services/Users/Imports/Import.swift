internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A file with records that another system has of a person, and how far it was taken in.
struct Import: Hashable, Sendable {
    enum State: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case uploading, running, finished, failed
    }

    enum Format: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case bundle = "fhir_r4_bundle"
        case lines = "fhir_r4_ndjson"

        var form: EntryReader.Form { self == .bundle ? .bundle : .lines }
    }

    let id: UUID
    let clientID: String
    let format: Format
    let source: String
    /// Of the whole file, as its sender says.
    let byteCount: Int64
    let sha256: [UInt8]
    let state: State
    /// Why it will not be finished.
    let failure: String?
    /// How many bytes have come.
    let receivedByteCount: Int64
    /// The resources before it have been dealt with.
    let place: EntryReader.Place
    let counts: ImportCounts
    let requestedAt: Instant
    let finishedAt: Instant?
    let expiresAt: Instant

    /// All bytes have come, and nobody has read them as a whole: whoever was about to may have been killed.
    var waitsForCheck: Bool { state == .uploading && receivedByteCount == byteCount }

    /// How long it is kept after it was begun.
    static let life = Duration.seconds(7 * 24 * 3_600)
    /// How many of a person are kept.
    static let most = 5
    /// Of a file, and of what comes of it at once. A file is held in the database until it was taken in.
    static let mostBytes: Int64 = 256 << 20
    static let mostBytesAtOnce = 1 << 20
}

extension Import: RowDecodable {
    /// The columns that the initialiser reads, of `users.imports AS i`.
    static let columns: Query = """
        i.id, i.client_id, i.format, i.source, i.byte_count, i.sha256, i.state, i.failure, i.next_entry, i.next_byte, i.counts, i.requested_at,
        i.finished_at, i.expires_at,
        CASE WHEN i.state IN ('running', 'finished') THEN i.byte_count
             ELSE coalesce((SELECT c.first_byte + octet_length(c.content) FROM users.import_chunks c
                            WHERE c.user_id = i.user_id AND c.import_id = i.id ORDER BY c.first_byte DESC LIMIT 1), 0) END AS received
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        clientID = try row.decode("client_id")
        format = try row.decode("format")
        source = try row.decode("source")
        byteCount = try row.decode("byte_count")
        sha256 = try row.decode("sha256")
        state = try row.decode("state")
        failure = try row.decode("failure")
        receivedByteCount = try row.decode("received")
        place = EntryReader.Place(entry: try row.decode("next_entry"), byte: try row.decode("next_byte"))
        requestedAt = try row.decode("requested_at")
        finishedAt = try row.decode("finished_at")
        expiresAt = try row.decode("expires_at")
        let counts: JSONB = try row.decode("counts")
        do {
            self.counts = try JSONDecoder().decode(ImportCounts.self, from: Data(counts.text.utf8))
        } catch {
            throw PostgresError(.decoding, "Column “counts” holds no counts.")
        }
    }
}

/// What somebody wants to begin.
struct ImportWish: Hashable, Sendable {
    let clientID: ClientID
    let format: Import.Format
    let source: String
    let byteCount: Int64
    let sha256: [UInt8]

    /// Whether an import is of the same file.
    func ledTo(_ begun: Import) -> Bool {
        begun.format == format && begun.source == source && begun.byteCount == byteCount && begun.sha256 == sha256
    }
}

/// Whose import it is, and which.
struct ImportSubject: Codable, Hashable, Sendable {
    let `import`: UUID
    let user: UUID
}

/// Some bytes of the file of an import.
struct ImportChunk: RowDecodable, Sendable {
    let firstByte: Int64
    let content: [UInt8]

    /// A row of fewer bytes is put together with what comes behind it, so that a file that is written byte by byte is not a row of the database
    /// each. As many are written anew at most for a call that brings one.
    static let small = 32 << 10

    var end: Int64 { firstByte + Int64(content.count) }

    init(row: Row) throws(PostgresError) {
        firstByte = try row.decode("first_byte")
        content = try row.decode("content")
    }
}
