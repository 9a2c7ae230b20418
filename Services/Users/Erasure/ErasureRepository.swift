internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Postgres
internal import Time
internal import Tokens

/// Accounts that are closed, and the erasures that follow.
struct ErasureRepository: Sendable {
    let postgres: Postgres
    let outbox: Outbox

    init(postgres: Postgres) {
        self.postgres = postgres
        outbox = Outbox(postgres: postgres, table: "users.outbox")
    }

    /// Closes an account: what it says of its person goes, its sessions end and their tokens are on record as revoked, nobody is let
    /// into its records any more nor it into those of others, and the job that removes
    /// the rest is decided on; all of it or nothing. Closing it again changes nothing.
    ///
    /// Throws `UsersError.accountGone`, or `.operatorsAccount`.
    func close(_ user: UserID, by requester: Erasure.Requester, accessUntil: Instant) async throws -> Erasure {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            // Before the account's row, as whoever gives or takes back a grant has it: the other way round each would wait for the other.
            try await transaction.execute(.lockRecords(of: user))
            guard let account = try await transaction.first(.closing(user)) else { throw UsersError.accountGone }
            if let known = account.erasure {
                guard let erasure = try await transaction.first(.find(known)) else { throw UsersError.accountGone }
                return erasure
            }
            guard account.role != .operator_ else { throw UsersError.operatorsAccount }
            let begun = try await transaction.first(.begin(.make(), by: requester))
            guard let begun else { throw PostgresError(.decoding, "An erasure that was begun was not returned.") }
            try await transaction.execute(.forgetAttempts(for: account.email))
            try await transaction.execute(.close(user, for: begun.id))
            try await transaction.execute(.endGrants(byOrTo: user))
            _ = try await transaction.first(.endAll(of: user, upTo: .last, accessUntil: accessUntil))
            try await outbox.add(ErasureStep.eraseAccount.event(begun.id, user), in: transaction)
            return begun
        }
    }

    func find(_ id: ErasureID) async throws(PostgresError) -> Erasure? {
        try await postgres.first(.find(id))
    }

    /// Adds a step of an erasure in a transaction, unless the erasure has its receipt: its end has the events forgotten, and one that came later
    /// would name the person for as long as events are kept.
    func add(
        _ step: ErasureStep, of id: ErasureID, _ user: UserID, due: Instant? = nil, in transaction: Transaction
    ) async throws {
        guard try await transaction.first(.holdUnfinished(id)) != nil else { return }
        try await outbox.add(step.event(id, user, due: due), in: transaction)
    }

    /// Takes up again what was asked for before a moment and has not come to its end. How many there were.
    func resume(requestedBefore moment: Instant) async throws -> Int {
        try await postgres.transaction(tier: .normal) { transaction in
            let unfinished = try await transaction.rows(.unfinished(requestedBefore: moment))
            for each in unfinished {
                try await add(.eraseAccount, of: each.erasure, each.user, in: transaction)
            }
            return unfinished.count
        }
    }

    /// An account that is about to be closed, its row locked.
    struct Closing: RowDecodable {
        let role: AccessClaims.Role
        let email: EmailAddress
        let erasure: ErasureID?

        init(row: Row) throws(PostgresError) {
            role = try .stored(row)
            email = EmailAddress(stored: try row.decode("email"))
            erasure = try row.decode("erasure_id", as: UUID?.self).map(ErasureID.init)
        }
    }

    /// An erasure that has not come to its end, and whose it is.
    struct Unfinished: RowDecodable {
        let erasure: ErasureID
        let user: UserID

        init(row: Row) throws(PostgresError) {
            erasure = ErasureID(try row.decode("erasure_id"))
            user = UserID(try row.decode("user_id"))
        }
    }
}

extension Erasure.Requester: PostgresDecodable, PostgresEncodable {}

extension Erasure: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, requested_by, requested_at, finished_at, receipt"

    init(row: Row) throws(PostgresError) {
        id = ErasureID(try row.decode("id"))
        requestedBy = try row.decode("requested_by")
        requestedAt = try row.decode("requested_at")
        finishedAt = try row.decode("finished_at")
        receipt = try row.decode("receipt")
    }
}

extension Statement<ErasureRepository.Closing> {
    static func closing(_ user: UserID) -> Self {
        .writing("SELECT role, clinician_since, email, erasure_id FROM users.users WHERE id = \(user.uuid) FOR UPDATE")
    }
}

extension Statement<ErasureRepository.Unfinished> {
    static func unfinished(requestedBefore moment: Instant) -> Self {
        .reading("SELECT erasure_id, user_id FROM users.unfinished_erasures(\(moment), 1000)", tier: .normal)
    }
}

extension Statement<Erasure> {
    static func begin(_ id: ErasureID, by requester: Erasure.Requester) -> Self {
        .writing(
            """
            INSERT INTO users.erasures (id, requested_by) VALUES (\(id.uuid), \(requester)) RETURNING \(Erasure.columns)
            """)
    }

    static func find(_ id: ErasureID) -> Self {
        .reading("SELECT \(Erasure.columns) FROM users.erasures WHERE id = \(id.uuid)")
    }
}

extension Statement<Scalar<UUID>> {
    /// Nothing of an erasure that has finished; one that has not does not finish before the transaction ends.
    static func holdUnfinished(_ id: ErasureID) -> Self {
        .writing("SELECT id FROM users.erasures WHERE id = \(id.uuid) AND finished_at IS NULL FOR SHARE")
    }
}

extension Statement<Scalar<Bool>> {
    /// Whether there was an account.
    static func removeAccount(for erasure: ErasureID) -> Self {
        .writing("SELECT users.remove_account(\(erasure.uuid)) AS was_there")
    }
}

extension Statement<Void> {
    /// Empties the account's row, which stays until everything else is gone. Nobody signs in with an address that it does not have, so the
    /// address is free for another account from now on.
    static func close(_ user: UserID, for erasure: ErasureID) -> Self {
        .writing(
            """
            UPDATE users.users
            SET erasure_id = \(erasure.uuid), email = \(erasure.text + "@erased.invalid"), name = '-', password_hash = '-', phone = NULL,
                avatar_url = NULL, birth_date = NULL, sex = NULL, time_zone = 'UTC', version = version + 1
            WHERE id = \(user.uuid)
            """)
    }

    /// What the outbox still has of a person: the events of the erasure, whose payload names whose it is.
    static func forgetEvents(of user: UserID) -> Self {
        .writing("DELETE FROM users.outbox WHERE lower(payload ->> 'user') = \(user.uuid.text)", tier: .normal)
    }

    /// No row if it has finished before.
    static func finish(_ id: ErasureID, at moment: Instant, receipt: String) -> Self {
        .writing(
            "UPDATE users.erasures SET finished_at = \(moment), receipt = \(receipt) WHERE id = \(id.uuid) AND finished_at IS NULL")
    }
}
