internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time

/// The exports of people, and their files in pieces.
struct ExportRepository: Sendable {
    let postgres: Postgres
    let outbox: Outbox

    init(postgres: Postgres) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "users.outbox")
    }

    /// Puts an export on record, and decides on the job that writes it. The same client id again changes nothing.
    ///
    /// Throws `ExportsError.clientIDUsed`, `.running`, `.tooMany`, and `UsersError.accountGone`.
    func start(_ clientID: ClientID, as format: RecordFormat, of user: UserID) async throws -> Export {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            // Whoever starts another at the same time comes behind.
            guard try await transaction.first(.lockAccount(user)) != nil else { throw UsersError.accountGone }
            let kept = try await transaction.rows(.exports(of: user))
            if let known = kept.first(where: { $0.clientID == clientID.text }) {
                guard known.format == format else { throw ExportsError.clientIDUsed }
                return known
            }
            guard !kept.contains(where: { $0.state == .running }) else { throw ExportsError.running }
            guard kept.count < Export.most else { throw ExportsError.tooMany }
            // One whose time is over may have had the client id.
            try await transaction.execute(.removeExpired(clientID, of: user))
            let id = UUIDv7.make()
            try await transaction.execute(.start(id, clientID, as: format, of: user))
            try await outbox.add(ExportSubject(export: id, user: user.uuid).event(), in: transaction)
            guard let export = try await transaction.first(.export(id, of: user)) else {
                throw PostgresError(.decoding, "An export that was begun was not returned.")
            }
            return export
        }
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> Export? {
        try await postgres.first(.export(id, of: user), identity: .user(user.uuid))
    }

    /// The newest first.
    func list(of user: UserID) async throws(PostgresError) -> [Export] {
        try await postgres.rows(.exports(of: user), identity: .user(user.uuid))
    }

    /// `false` if there was none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removeExport(id, of: user), identity: .user(user.uuid)) == 1
    }

    /// The chunk that holds a byte; `nil` behind the last.
    func chunk(at byte: Int64, of export: UUID, _ user: UserID) async throws(PostgresError) -> ExportChunk? {
        let chunk = try await postgres.first(.chunk(of: export, user, at: byte), identity: .user(user.uuid))
        return chunk.flatMap { $0.end > byte ? $0 : nil }
    }

    /// Where the work stands: the chunk that was written last, without its content.
    func lastChunk(of subject: ExportSubject) async throws(PostgresError) -> ExportRepository.Standing? {
        try await postgres.first(.lastChunk(of: subject), identity: .user(subject.user))
    }

    /// Puts a chunk behind the last, while the export runs. `false` if another has written there, or there is nothing to write for.
    func append(_ chunk: ExportChunk, to subject: ExportSubject) async throws -> Bool {
        try await postgres.execute(.append(chunk, to: subject), identity: .user(subject.user)) == 1
    }

    /// Puts the last chunk and says that the export has finished, both or neither. `false` as for `append`.
    func finish(_ subject: ExportSubject, with chunk: ExportChunk, sha256: [UInt8]) async throws -> Bool {
        try await postgres.transaction(identity: .user(subject.user)) { transaction in
            guard try await transaction.execute(.append(chunk, to: subject)) == 1 else { return false }
            return try await transaction.execute(.finish(subject, sha256: sha256)) == 1
        }
    }

    /// Gives an export up, and frees what it has taken.
    func fail(_ subject: ExportSubject, because reason: String) async throws(PostgresError) {
        try await postgres.execute(.fail(subject, because: reason), identity: .user(subject.user))
    }

    /// Takes up again what was asked for before a moment and still runs. How many there were.
    func resume(requestedBefore moment: Instant) async throws -> Int {
        try await postgres.transaction(tier: .normal) { transaction in
            let unfinished = try await transaction.rows(.unfinishedExports(requestedBefore: moment))
            for each in unfinished { try await outbox.add(each.subject.event(), in: transaction) }
            return unfinished.count
        }
    }

    /// Removes those whose time is over. How many there were.
    func removeExpired() async throws(PostgresError) -> Int64 {
        var count: Int64 = 0
        while let removed = try await postgres.first(.removeExpiredExports)?.value, removed > 0 { count += removed }
        return count
    }

    /// How far the file of an export has come.
    struct Standing: RowDecodable {
        let end: Int64
        let next: ExportChunk.Next?

        init(row: Row) throws(PostgresError) {
            end = try row.decode("behind")
            next = try ExportChunk.Next(stored: try row.decode("next"))
        }
    }

    /// An export that still runs, and whose it is.
    struct Unfinished: RowDecodable {
        let subject: ExportSubject

        init(row: Row) throws(PostgresError) {
            subject = ExportSubject(export: try row.decode("export_id"), user: try row.decode("user_id"))
        }
    }
}

extension ExportChunk.Next {
    fileprivate init?(stored json: JSONB?) throws(PostgresError) {
        guard let json else { return nil }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(json.text.utf8))
        } catch {
            throw PostgresError(.decoding, "Column “next” does not say where the work goes on.")
        }
    }
}

extension ExportChunk: RowDecodable {
    init(row: Row) throws(PostgresError) {
        self.init(firstByte: try row.decode("first_byte"), content: try row.decode("content"))
    }
}
