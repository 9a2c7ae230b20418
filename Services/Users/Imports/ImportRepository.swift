internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time

/// The imports of people, and their files in pieces.
struct ImportRepository: Sendable {
    let postgres: Postgres
    let outbox: Outbox

    init(postgres: Postgres) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "users.outbox")
    }

    /// Puts an import on record, whose file is to come. The same client id again changes nothing.
    ///
    /// Throws `ImportsError.clientIDUsed`, `.underWay`, `.tooMany`, and `UsersError.accountGone`.
    func start(_ wish: ImportWish, of user: UserID) async throws -> Import {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            // Whoever starts another at the same time comes behind.
            guard try await transaction.first(.lockAccount(user)) != nil else { throw UsersError.accountGone }
            let kept = try await transaction.rows(.imports(of: user))
            if let known = kept.first(where: { $0.clientID == wish.clientID.text }) {
                guard wish.ledTo(known) else { throw ImportsError.clientIDUsed }
                return known
            }
            guard !kept.contains(where: { $0.state == .uploading || $0.state == .running }) else { throw ImportsError.underWay }
            guard kept.count < Import.most else { throw ImportsError.tooMany }
            // One whose time is over may have had the client id.
            try await transaction.execute(.removeExpiredImport(wish.clientID, of: user))
            let id = UUIDv7.make()
            try await transaction.execute(.start(id, wish, of: user))
            guard let begun = try await transaction.first(.importJob(id, of: user)) else {
                throw PostgresError(.decoding, "An import that was begun was not returned.")
            }
            return begun
        }
    }

    func find(_ id: UUID, of user: UserID) async throws(PostgresError) -> Import? {
        try await postgres.first(.importJob(id, of: user), identity: .user(user.uuid))
    }

    /// The newest first.
    func list(of user: UserID) async throws(PostgresError) -> [Import] {
        try await postgres.rows(.imports(of: user), identity: .user(user.uuid))
    }

    /// `false` if there was none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.removeImport(id, of: user), identity: .user(user.uuid)) == 1
    }

    /// The chunk that holds a byte; `nil` behind the last, and when the file is gone.
    func chunk(at byte: Int64, of subject: ImportSubject) async throws(PostgresError) -> ImportChunk? {
        let chunk = try await postgres.first(.chunk(of: subject, at: byte), identity: .user(subject.user))
        return chunk.flatMap { $0.end > byte ? $0 : nil }
    }

    /// Gives an import up, and frees what its file has taken.
    func fail(_ subject: ImportSubject, because reason: String) async throws(PostgresError) {
        try await postgres.execute(.failImport(subject, because: reason), identity: .user(subject.user))
    }

    func finish(_ subject: ImportSubject, at place: EntryReader.Place) async throws(PostgresError) {
        try await postgres.execute(.finishImport(subject, at: place), identity: .user(subject.user))
    }

    /// Takes up again what was asked for before a moment and still runs. How many there were.
    func resume(requestedBefore moment: Instant) async throws -> Int {
        try await postgres.transaction(tier: .normal) { transaction in
            let unfinished = try await transaction.rows(.unfinishedImports(requestedBefore: moment))
            for each in unfinished { try await outbox.add(each.subject.event(), in: transaction) }
            return unfinished.count
        }
    }

    /// Removes those whose time is over. How many there were.
    func removeExpired() async throws(PostgresError) -> Int64 {
        var count: Int64 = 0
        while let removed = try await postgres.first(.removeExpiredImports)?.value, removed > 0 { count += removed }
        return count
    }

    /// An import that is being taken in, and whose it is.
    struct Unfinished: RowDecodable {
        let subject: ImportSubject

        init(row: Row) throws(PostgresError) {
            subject = ImportSubject(import: try row.decode("import_id"), user: try row.decode("user_id"))
        }
    }
}
