internal import Application
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

extension CareGrant: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, clinician_id, clinician_email, scopes, purpose, granted_at, expires_at, revoked_at"

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        if let email = try row.decode("clinician_email", as: String?.self) {
            clinician = .email(EmailAddress(stored: email))
        } else {
            clinician = .id(try row.decode("clinician_id"))
        }
        scopes = try CareScope.stored(row)
        purpose = try row.decode("purpose")
        grantedAt = try row.decode("granted_at")
        expiresAt = try row.decode("expires_at")
        revokedAt = try row.decode("revoked_at")
    }
}

extension Patient: RowDecodable {
    init(row: Row) throws(PostgresError) {
        id = UserID(try row.decode("user_id"))
        name = try row.decode("patient_name")
        scopes = try CareScope.stored(row)
        grantedAt = try row.decode("granted_at")
        expiresAt = try row.decode("expires_at")
    }
}

extension CareScope {
    /// In the order of the contract. One that only a newer version knows is left out.
    fileprivate static func stored(_ row: Row) throws(PostgresError) -> [CareScope] {
        let names = Set(try row.decode("scopes", as: [String].self))
        return allCases.filter { names.contains($0.rawValue) }
    }
}

/// The rows of `users.care_grants`: each is written once and ended once.
struct CareGrantRepository: Sendable {
    let postgres: Postgres

    /// Grants that a patient may have standing.
    static let most: Int64 = 50

    /// Gives a grant, in the place of the one that stands for the same name. The same id again gives what is there.
    ///
    /// The steps are the same whether the clinician is there or not. Throws `RecordError.idReused` and `.tooMany`, and `UsersError.accountGone`.
    func give(_ wish: GrantWish, by patient: UserID) async throws -> CareGrant {
        try await postgres.transaction(identity: Self.identity(of: patient, naming: wish.clinician)) { transaction in
            let (_, known, count) = try await transaction.batch(
                .lockRecords(of: patient), .grant(wish.id, by: patient), .countGrants(besidesTo: wish.clinician, by: patient))
            if let known = try known.first() {
                guard wish.isMet(by: known) else { throw RecordError.idReused }
                return known
            }
            guard try count.first()?.value ?? 0 < Self.most else { throw RecordError.tooMany(most: Self.most) }
            try await transaction.execute(.endGrant(to: wish.clinician, by: patient))
            guard let given = try await transaction.first(.give(wish, by: patient)) else { throw UsersError.accountGone }
            return given
        }
    }

    /// The newest first; behind the one with the id `last`, if one is given.
    func list(by patient: UserID, after last: UUID?, limit: Int) async throws(PostgresError) -> [CareGrant] {
        try await postgres.rows(.grants(by: patient, after: last, limit: limit), identity: .user(patient.uuid))
    }

    /// Ends a grant; ending it again changes nothing. Nobody is let in by it once this has returned. `nil` if the patient has given none of this id.
    func revoke(_ id: UUID, by patient: UserID) async throws -> CareGrant? {
        try await postgres.transaction(identity: .user(patient.uuid)) { transaction in
            if let ended = try await transaction.first(.endGrant(id, by: patient)) { return ended }
            return try await transaction.first(.grant(id, by: patient))
        }
    }

    /// Who lets a clinician in now, in the order of their ids; behind the one with the id `last`, if one is given.
    func patients(of clinician: UserID, after last: UUID?, limit: Int) async throws(PostgresError) -> [Patient] {
        try await postgres.rows(.patients(of: clinician, after: last, limit: limit), identity: .user(clinician.uuid))
    }

    /// The patient's own rows, and the one account whose address the patient names: the policy `log_in` shows no other.
    private static func identity(of patient: UserID, naming clinician: ClinicianName) -> Identity {
        guard case .email(let email) = clinician else { return .user(patient.uuid) }
        return Identity([("heartguard.user_id", patient.uuid.text), ("heartguard.login_email", email.text)])
    }
}

extension Statement<CareGrant> {
    static func grant(_ id: UUID, by patient: UserID) -> Self {
        .reading("SELECT \(CareGrant.columns) FROM users.care_grants WHERE user_id = \(patient.uuid) AND id = \(id)")
    }

    static func grants(by patient: UserID, after last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND id < \(last)" } else { "" }
        return .reading(
            """
            SELECT \(CareGrant.columns) FROM users.care_grants WHERE user_id = \(patient.uuid) \(rest) ORDER BY id DESC LIMIT \(limit)
            """)
    }

    /// No row if the account is not there or is closed; whoever is closing it is waited for.
    static func give(_ wish: GrantWish, by patient: UserID) -> Self {
        let (clinician, email): (Query, String?) =
            switch wish.clinician {
            case .id(let id): ("\(id)", nil)
            case .email(let email):
                (
                    """
                    (SELECT c.id FROM users.users c
                     WHERE c.email = \(email.text) AND c.clinician_since IS NOT NULL AND c.erasure_id IS NULL AND c.id <> \(patient.uuid))
                    """, email.text
                )
            }
        return .writing(
            """
            INSERT INTO users.care_grants (user_id, id, clinician_id, clinician_email, scopes, patient_name, purpose, expires_at)
            SELECT p.id, \(wish.id), \(clinician), \(email), \(wish.scopes.map(\.rawValue)), p.name, \(wish.purpose), \(wish.expiresAt)
            FROM (SELECT id, name FROM users.users WHERE id = \(patient.uuid) AND erasure_id IS NULL FOR SHARE) AS p
            RETURNING \(CareGrant.columns)
            """)
    }

    static func endGrant(_ id: UUID, by patient: UserID) -> Self {
        .writing(
            """
            UPDATE users.care_grants SET revoked_at = clock_timestamp()
            WHERE user_id = \(patient.uuid) AND id = \(id) AND revoked_at IS NULL RETURNING \(CareGrant.columns)
            """)
    }
}

extension Statement<Patient> {
    static func patients(of clinician: UserID, after last: UUID?, limit: Int) -> Self {
        let rest: Query = if let last { "AND user_id > \(last)" } else { "" }
        return .reading(
            """
            SELECT user_id, max(patient_name) AS patient_name, array_agg(DISTINCT each.scope) AS scopes,
                   min(granted_at) AS granted_at, max(expires_at) AS expires_at
            FROM users.care_grants CROSS JOIN unnest(care_grants.scopes) AS each (scope)
            WHERE clinician_id = \(clinician.uuid) AND revoked_at IS NULL AND expires_at > clock_timestamp() \(rest)
            GROUP BY user_id ORDER BY user_id LIMIT \(limit)
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func countGrants(besidesTo clinician: ClinicianName, by patient: UserID) -> Self {
        .reading(
            """
            SELECT count(*) AS grants FROM users.care_grants
            WHERE user_id = \(patient.uuid) AND revoked_at IS NULL AND expires_at > clock_timestamp()
              AND coalesce(clinician_email, clinician_id::text) <> \(clinician.text)
            """)
    }
}

extension Statement<Void> {
    static func endGrant(to clinician: ClinicianName, by patient: UserID) -> Self {
        .writing(
            """
            UPDATE users.care_grants SET revoked_at = clock_timestamp()
            WHERE user_id = \(patient.uuid) AND revoked_at IS NULL AND coalesce(clinician_email, clinician_id::text) = \(clinician.text)
            """)
    }

    /// Nobody is let in by this person any more.
    static func endGrants(by patient: UserID) -> Self { endGrants(where: "user_id = \(patient.uuid)") }

    /// Nobody lets this person in any more.
    static func endGrants(to clinician: UserID) -> Self { endGrants(where: "clinician_id = \(clinician.uuid)") }

    /// Neither any more.
    static func endGrants(byOrTo person: UserID) -> Self { endGrants(where: "(user_id = \(person.uuid) OR clinician_id = \(person.uuid))") }

    /// Takes the rows in the order of their keys, as all do who end several: of two people who have let each other in and leave at once, the second
    /// waits at the first row, instead of each for one that the other has.
    private static func endGrants(where condition: Query) -> Self {
        .writing(
            """
            WITH standing AS MATERIALIZED (
                SELECT user_id, id FROM users.care_grants WHERE \(condition) AND revoked_at IS NULL ORDER BY user_id, id FOR NO KEY UPDATE
            )
            UPDATE users.care_grants AS g SET revoked_at = clock_timestamp() FROM standing AS s WHERE g.user_id = s.user_id AND g.id = s.id
            """,
            tier: .normal)
    }
}
