internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A condition, an allergy, a report or another part of the person's record.
struct PatientRecord: Hashable, Sendable {
    enum RecordType: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case condition, allergy, procedure, immunization,
            labReport = "lab_report", imaging, familyHistory = "family_history", document,
            other
    }

    enum CodeSystem: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case snomed, icd10, loinc, rxnorm, cvx, other
    }

    enum ClinicalStatus: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case active, inactive, resolved, enteredInError = "entered_in_error"
    }

    enum Severity: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case mild, moderate, severe
    }

    enum Source: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case patient, provider, import_ = "import", device
    }

    var id: UUID
    var recordType: RecordType
    var title: String
    var codeSystem: CodeSystem?
    var code: String?
    var content: JSONB = JSONB("{}")
    var clinicalStatus: ClinicalStatus = .active
    var severity: Severity?
    var source: Source = .patient
    var providerID: UUID?
    var documentURI: String?
    var documentSHA256: [UInt8]?
    var onsetOn: CivilDate?
    var recordedAt: Instant
    var version: Int64 = 1
}

extension PatientRecord: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, record_type, title, code_system, code, content, clinical_status, severity, source, provider_id,
        document_uri, document_sha256, onset_on, recorded_at, version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        recordType = try row.decode("record_type")
        title = try row.decode("title")
        codeSystem = try row.decode("code_system")
        code = try row.decode("code")
        content = try row.decode("content")
        clinicalStatus = try row.decode("clinical_status")
        severity = try row.decode("severity")
        source = try row.decode("source")
        providerID = try row.decode("provider_id")
        documentURI = try row.decode("document_uri")
        documentSHA256 = try row.decode("document_sha256")
        onsetOn = try row.decode("onset_on")
        recordedAt = try row.decode("recorded_at")
        version = try row.decode("version")
    }
}

/// The rows of `vitals.patient_records`. Every statement runs as the person whose rows it touches.
struct PatientRecordRepository: RemovableRecords {
    static let table: Query = "vitals.patient_records"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: PatientRecord, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: PatientRecord, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: PatientRecord, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.patient_records (
                user_id, id, record_type, title, code_system, code, content, clinical_status, severity, source,
                provider_id, document_uri, document_sha256, onset_on, recorded_at, version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.recordType), \(record.title), \(record.codeSystem),
                \(record.code), \(record.content), \(record.clinicalStatus), \(record.severity),
                \(record.source), \(record.providerID), \(record.documentURI), \(record.documentSHA256),
                \(record.onsetOn), \(record.recordedAt), \(record.version)
            )
            """)
    }

    static func replace(_ record: PatientRecord, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.patient_records SET
                record_type = \(record.recordType), title = \(record.title), code_system = \(record.codeSystem),
                code = \(record.code), content = \(record.content), clinical_status = \(record.clinicalStatus),
                severity = \(record.severity), source = \(record.source), provider_id = \(record.providerID),
                document_uri = \(record.documentURI), document_sha256 = \(record.documentSHA256),
                onset_on = \(record.onsetOn), recorded_at = \(record.recordedAt), version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
