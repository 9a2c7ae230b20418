internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What is known of people's health besides measurements. Every statement runs as the person whose it is.
struct PatientRecordStore: Sendable {
    let postgres: Postgres

    static let maxRecords = 10_000

    /// Where a list goes on: behind this one.
    struct Place: Hashable, Sendable {
        let at: Instant
        let id: UUID
    }

    /// Makes a record, or finds it, if it is there and says the same.
    ///
    /// Throws `VitalsError.recordIsAnother`, or `.tooManyRecords`.
    func create(_ new: NewPatientRecord, of user: UserID) async throws -> PatientRecord {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            let (_, insertion, found) = try await transaction.batch(
                .lockQuota(of: user, in: PatientRecordRepository.table), .add(new.record, of: user, atMost: Self.maxRecords),
                .lockRecord(new.record.id, of: user))
            guard let known = try found.first() else { throw VitalsError.tooManyRecords }
            guard try insertion.rowsAffected == 1 || new.saysTheSame(as: known) else { throw VitalsError.recordIsAnother }
            return known
        }
    }

    /// Throws `VitalsError.noSuchRecord`.
    func find(_ id: UUID, of user: UserID) async throws -> PatientRecord {
        guard let record = try await PatientRecordRepository(postgres: postgres).find(id, of: user) else { throw VitalsError.noSuchRecord }
        return record
    }

    /// By when they were recorded, the newest first, behind a place if there is one.
    func list(of user: UserID, kind: PatientRecord.RecordType?, behind place: Place?, limit: Int) async throws(PostgresError) -> [PatientRecord] {
        try await postgres.rows(.records(of: user, kind: kind, behind: place, limit: limit), identity: .user(user.uuid))
    }

    /// Puts a record in the place of the one with its id and version. A second call with the same finds it there.
    ///
    /// Throws `VitalsError.noSuchRecord` or `.recordChanged`.
    func replace(_ new: NewPatientRecord, of user: UserID) async throws -> PatientRecord {
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            let known = try await lock(new.record.id, of: user, in: transaction)
            if known.version - 1 == new.record.version, try new.saysTheSame(as: known) { return known }
            guard known.version == new.record.version else { throw VitalsError.recordChanged(known.version) }
            try await transaction.execute(.replace(new.over(known), of: user))
            return try await lock(new.record.id, of: user, in: transaction)
        }
    }

    /// Nothing happens if there is none.
    func remove(_ id: UUID, of user: UserID) async throws(PostgresError) {
        _ = try await PatientRecordRepository(postgres: postgres).remove(id, of: user)
    }

    private func lock(_ id: UUID, of user: UserID, in transaction: Transaction) async throws -> PatientRecord {
        guard let known = try await transaction.first(.lockRecord(id, of: user)) else { throw VitalsError.noSuchRecord }
        return known
    }
}

extension Statement<PatientRecord> {
    static func lockRecord(_ id: UUID, of user: UserID) -> Self {
        .writing("SELECT \(PatientRecord.columns) FROM vitals.patient_records WHERE user_id = \(user.uuid) AND id = \(id) FOR UPDATE")
    }

    static func records(of user: UserID, kind: PatientRecord.RecordType?, behind place: PatientRecordStore.Place?, limit: Int) -> Self {
        let ofKind: Query = if let kind { "AND record_type = \(kind)" } else { "" }
        let rest: Query = if let place { "AND (recorded_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(PatientRecord.columns) FROM vitals.patient_records
            WHERE user_id = \(user.uuid) \(ofKind) \(rest) ORDER BY recorded_at DESC, id DESC LIMIT \(limit)
            """)
    }
}

extension Statement<Void> {
    /// Changes nothing if there is one with its id, or the person has `limit`.
    static func add(_ record: PatientRecord, of user: UserID, atMost limit: Int) -> Self {
        .writing(
            """
            INSERT INTO vitals.patient_records (
                user_id, id, record_type, title, code_system, code, content, clinical_status, severity, source, provider_id, document_uri,
                document_sha256, onset_on, recorded_at)
            SELECT \(user.uuid), \(record.id), \(record.recordType), \(record.title), \(record.codeSystem), \(record.code), \(record.content),
                   \(record.clinicalStatus), \(record.severity), \(record.source), \(record.providerID), \(record.documentURI),
                   \(record.documentSHA256), \(record.onsetOn), \(record.recordedAt)
            WHERE (SELECT count(*) FROM vitals.patient_records WHERE user_id = \(user.uuid)) < \(limit)
            ON CONFLICT (user_id, id) DO NOTHING
            """)
    }
}
