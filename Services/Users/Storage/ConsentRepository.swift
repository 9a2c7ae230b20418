internal import Application
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

/// What people consented to, in `users.user_consents`: one row a kind, as it stands.
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

    /// Withdraws consent; `nil` when it was never given. Withdrawing it again changes nothing.
    func withdraw(_ kind: ConsentKind, by user: UserID) async throws -> Consent? {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            let withdrawn = try await transaction.first(.withdraw(kind, by: user))
            if let withdrawn { return withdrawn }
            return try await transaction.first(.find(kind, of: user))
        }
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
            INSERT INTO users.user_consents AS c (user_id, kind, granted, document_version, granted_at)
            VALUES (\(user.uuid), \(kind), true, \(document.text), clock_timestamp())
            ON CONFLICT (user_id, kind) DO UPDATE
            SET granted = true, document_version = excluded.document_version, granted_at = excluded.granted_at,
                withdrawn_at = NULL, epoch = c.epoch + 1
            WHERE NOT c.granted OR c.document_version <> excluded.document_version
            RETURNING \(Consent.columns)
            """)
    }

    /// No row if it was withdrawn already, or never given.
    static func withdraw(_ kind: ConsentKind, by user: UserID) -> Self {
        .writing(
            """
            UPDATE users.user_consents
            SET granted = false, withdrawn_at = clock_timestamp(), epoch = epoch + 1
            WHERE user_id = \(user.uuid) AND kind = \(kind) AND granted
            RETURNING \(Consent.columns)
            """)
    }

    static func find(_ kind: ConsentKind, of user: UserID) -> Self {
        .reading("SELECT \(Consent.columns) FROM users.user_consents WHERE user_id = \(user.uuid) AND kind = \(kind)")
    }

    static func list(of user: UserID) -> Self {
        .reading("SELECT \(Consent.columns) FROM users.user_consents WHERE user_id = \(user.uuid) ORDER BY kind")
    }
}
