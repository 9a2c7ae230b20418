internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Consent: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "kind, granted, document_version, granted_at, withdrawn_at, epoch"

    init(row: Row) throws(PostgresError) {
        kind = try row.decode("kind")
        isGranted = try row.decode("granted")
        documentVersion = try row.decode("document_version")
        grantedAt = try row.decode("granted_at")
        withdrawnAt = try row.decode("withdrawn_at")
        epoch = try row.decode("epoch")
    }
}

/// A consent that was given or withdrawn.
struct ConsentChange: Equatable, Sendable, RowDecodable {
    let id: UUID
    let kind: ConsentKind
    let isGranted: Bool
    let documentVersion: String
    let happenedAt: Instant
    let epoch: Int64

    /// The columns that the initialiser reads.
    static let columns: Query = "id, kind, granted, document_version, happened_at, epoch"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        kind = try row.decode("kind")
        isGranted = try row.decode("granted")
        documentVersion = try row.decode("document_version")
        happenedAt = try row.decode("happened_at")
        epoch = try row.decode("epoch")
    }
}

/// What people consented to, in `users.user_consents`: one row a kind, as it stands. Each change of one is noted in `users.consent_history` by the
/// statement that makes it.
struct ConsentRepository: Sendable {
    let postgres: Postgres

    /// Gives consent to a text. Giving it again to the same text changes nothing; to another text, or after a
    /// withdrawal, it begins a new epoch.
    ///
    /// Throws `UsersError.accountGone` when there is no such account.
    func give(_ kind: ConsentKind, to document: DocumentVersion, by user: UserID) async throws -> Consent {
        do {
            return try await insert(kind, document, user)
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    private func insert(_ kind: ConsentKind, _ document: DocumentVersion, _ user: UserID) async throws -> Consent {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            let given = try await transaction.first(.give(kind, to: document, by: user))
            if let given { return given }
            // Given already to this text. The conflict has locked the row, so it is there and stays as it is.
            let standing = try await transaction.first(.find(kind, of: user))
            guard let standing else { throw PostgresError(.decoding, "A locked consent was not returned.") }
            return standing
        }
    }

    /// Withdraws consent; `nil` when it was never given. Withdrawing it again changes nothing of it.
    ///
    /// With `.careSharing` every grant ends that stands, in the same transaction and each time: nobody is let in by one that was given before this returns.
    func withdraw(_ kind: ConsentKind, by user: UserID) async throws -> Consent? {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            // A grant that is being given ends here too, or is given after the withdrawal.
            if kind == .careSharing { try await transaction.execute(.lockRecords(of: user)) }
            var consent = try await transaction.first(.withdraw(kind, by: user))
            if consent == nil { consent = try await transaction.first(.find(kind, of: user)) }
            if kind == .careSharing, consent != nil { try await transaction.execute(.endGrants(by: user)) }
            return consent
        }
    }

    /// What was given and withdrawn, the latest first, at most so many behind a place; of one kind, if it is given.
    func history(
        of user: UserID, _ kind: ConsentKind?, behind place: (at: Instant, id: UUID)?, limit: Int
    ) async throws(PostgresError) -> [ConsentChange] {
        try await postgres.rows(.consentHistory(of: user, kind, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// Every consent that was ever given, by kind.
    func list(of user: UserID) async throws -> [Consent] {
        try await postgres.rows(.list(of: user), identity: .user(user.uuid))
    }
}

extension Statement<Consent> {
    /// No row if it is given to this text already; the row is locked then all the same.
    static func give(_ kind: ConsentKind, to document: DocumentVersion, by user: UserID) -> Self {
        .writing(
            """
            WITH given AS (
                INSERT INTO users.user_consents AS c (user_id, kind, granted, document_version, granted_at)
                VALUES (\(user.uuid), \(kind), true, \(document.text), clock_timestamp())
                ON CONFLICT (user_id, kind) DO UPDATE
                SET granted = true, document_version = excluded.document_version, granted_at = excluded.granted_at,
                    withdrawn_at = NULL, epoch = c.epoch + 1
                WHERE NOT c.granted OR c.document_version <> excluded.document_version
                RETURNING \(Consent.columns)
            ), noted AS (
                INSERT INTO users.consent_history (user_id, id, kind, granted, document_version, epoch, happened_at)
                SELECT \(user.uuid), \(UUIDv7.make()), kind, true, document_version, epoch, granted_at FROM given
            )
            SELECT \(Consent.columns) FROM given
            """)
    }

    /// No row if it was withdrawn already, or never given.
    static func withdraw(_ kind: ConsentKind, by user: UserID) -> Self {
        .writing(
            """
            WITH withdrawn AS (
                UPDATE users.user_consents
                SET granted = false, withdrawn_at = clock_timestamp(), epoch = epoch + 1
                WHERE user_id = \(user.uuid) AND kind = \(kind) AND granted
                RETURNING \(Consent.columns)
            ), noted AS (
                INSERT INTO users.consent_history (user_id, id, kind, granted, document_version, epoch, happened_at)
                SELECT \(user.uuid), \(UUIDv7.make()), kind, false, document_version, epoch, withdrawn_at FROM withdrawn
            )
            SELECT \(Consent.columns) FROM withdrawn
            """)
    }

    static func find(_ kind: ConsentKind, of user: UserID) -> Self {
        .reading("SELECT \(Consent.columns) FROM users.user_consents WHERE user_id = \(user.uuid) AND kind = \(kind)")
    }

    static func list(of user: UserID) -> Self {
        .reading("SELECT \(Consent.columns) FROM users.user_consents WHERE user_id = \(user.uuid) ORDER BY kind")
    }
}

extension Statement<ConsentChange> {
    static func consentHistory(of user: UserID, _ kind: ConsentKind?, behind place: (at: Instant, id: UUID)?, limit: Int) -> Self {
        let chosen: Query = if let kind { "AND kind = \(kind)" } else { "" }
        let rest: Query = if let place { "AND (happened_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(ConsentChange.columns) FROM users.consent_history WHERE user_id = \(user.uuid) \(chosen) \(rest)
            ORDER BY happened_at DESC, id DESC LIMIT \(limit)
            """)
    }
}
