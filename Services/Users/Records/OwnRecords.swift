internal import Application
internal import FoundationEssentials
internal import Postgres

/// What a person keeps a few of, of which one may come before the others.
protocol OwnRecord: TableRecord, Equatable {
    var id: UUID { get }
    var isPrimary: Bool { get }
    var version: Int64 { get set }
    /// Its table's name, with the schema.
    static var table: Query { get }

    func insertion(of user: UserID) -> Statement<Void>
    /// Touches one row if it has this version, and counts it up.
    func replacement(of user: UserID) -> Statement<Void>
}

extension EmergencyContact: OwnRecord {
    static let table = EmergencyContactRepository.table
    func insertion(of user: UserID) -> Statement<Void> { .insert(self, of: user) }
    func replacement(of user: UserID) -> Statement<Void> { .replace(self, of: user) }
}

extension InsuranceInfo: OwnRecord {
    static let table = InsuranceInfoRepository.table
    func insertion(of user: UserID) -> Statement<Void> { .insert(self, of: user) }
    func replacement(of user: UserID) -> Statement<Void> { .replace(self, of: user) }
}

/// How many records of a kind a person may have.
enum RecordLimit {
    static let contacts: Int64 = 10
    static let insurances: Int64 = 10
    static let pushDevices: Int64 = 20
    static let preferences: Int64 = 500
}

/// A person's own records of one kind, added, changed and taken out one after the other.
struct OwnRecords<Record: OwnRecord>: Sendable {
    let postgres: Postgres
    /// How many a person may have.
    let most: Int64

    /// Adds a record under the id that an app has made. The same id again gives what is there: later versions are what the person has made of it.
    ///
    /// Throws `RecordError.idReused`, `.tooMany` and `.insuranceKnown`, and `UsersError.accountGone`.
    func add(_ record: Record, of user: UserID) async throws -> Record {
        try await explaining {
            try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, known, count) = try await transaction.batch(
                    .lockRecords(of: user), Statement<Record>.find(record.id, of: user.uuid, in: Record.table),
                    .countRecords(of: user, in: Record.table))
                if let known = try known.first() {
                    guard known.version > 1 || known == record else { throw RecordError.idReused }
                    return known
                }
                guard try count.first()?.value ?? 0 < most else { throw RecordError.tooMany(most: most) }
                if record.isPrimary { try await transaction.execute(.demoteOthers(than: record.id, of: user, in: Record.table)) }
                try await transaction.execute(record.insertion(of: user))
                return record
            }
        }
    }

    /// The primary one before the others, which stand as they were added.
    func list(of user: UserID) async throws(PostgresError) -> [Record] {
        try await postgres.rows(.ownRecords(of: user, in: Record.table, limit: most), identity: .user(user.uuid))
    }

    /// Changes a record and counts its version up; a change that changes nothing leaves it alone.
    ///
    /// Throws `RecordError.notFound`, `.changed` and `.insuranceKnown`, and what `change` throws.
    func update(
        _ id: UUID, of user: UserID, expectedVersion: Int64?, _ change: (Record) throws -> Record
    ) async throws -> Record {
        try await explaining {
            try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, found) = try await transaction.batch(
                    .lockRecords(of: user), Statement<Record>.find(id, of: user.uuid, in: Record.table))
                guard let current = try found.first() else { throw RecordError.notFound }
                if let expectedVersion, expectedVersion != current.version { throw RecordError.changed }
                var changed = try change(current)
                guard changed != current else { return current }
                if changed.isPrimary, !current.isPrimary {
                    try await transaction.execute(.demoteOthers(than: id, of: user, in: Record.table))
                }
                guard try await transaction.execute(changed.replacement(of: user)) == 1 else { throw RecordError.changed }
                changed.version += 1
                return changed
            }
        }
    }

    /// Throws `RecordError.notFound`.
    func remove(_ id: UUID, of user: UserID) async throws {
        guard try await postgres.execute(.remove(id, of: user.uuid, from: Record.table), identity: .user(user.uuid)) == 1 else {
            throw RecordError.notFound
        }
    }

    private func explaining(_ body: nonisolated(nonsending) () async throws -> Record) async throws -> Record {
        do {
            return try await body()
        } catch let error as PostgresError where error.constraint == "insurance_info_policy_key" {
            throw RecordError.insuranceKnown
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }
}

extension Statement<Void> {
    /// A person's records are counted and changed one after the other.
    static func lockRecords(of user: UserID) -> Self {
        .advisoryLock("users.records", of: user.uuid)
    }

    static func demoteOthers(than id: UUID, of user: UserID, in table: Query) -> Self {
        .writing(
            """
            UPDATE \(table) SET is_primary = false, version = version + 1
            WHERE user_id = \(user.uuid) AND is_primary AND id <> \(id)
            """)
    }
}

extension Statement<Scalar<Int64>> {
    static func countRecords(of user: UserID, in table: Query) -> Self {
        .reading("SELECT count(*) AS records FROM \(table) WHERE user_id = \(user.uuid)")
    }
}

extension Statement where Value: OwnRecord {
    static func ownRecords(of user: UserID, in table: Query, limit: Int64) -> Self {
        .reading(
            """
            SELECT \(Value.columns) FROM \(table) WHERE user_id = \(user.uuid)
            ORDER BY is_primary DESC, created_at, id LIMIT \(limit)
            """)
    }
}
