internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

extension NewPatientRecord {
    static func parsed(_ given: VitalsV1.PatientRecord?, knowsVersion: Bool, now: Instant = .now()) throws -> NewPatientRecord {
        guard let given else { throw RPCError.invalid("record", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.recordID("record.id", given.id, isKnown: knowsVersion)
        violations.version("record.version", given.version, isKnown: knowsVersion)
        let kind = violations.value("record.kind", given.kind, PatientRecord.RecordType.init(_:))
        let title = violations.text("record.title", given.title, most: 300, isNeeded: true)
        let system = given.codeSystem == .unspecified ? nil : violations.value("record.code_system", given.codeSystem, PatientRecord.CodeSystem.init(_:))
        let code = violations.text("record.code", given.code, most: 64, isNeeded: given.codeSystem != .unspecified)
        violations.check(given.code.isEmpty || given.codeSystem != .unspecified, "record.code_system", "A code is of a system.")
        let content = violations.value("record.content", given.content, JSONB.init(checking:))
        let status = given.status == .unspecified ? .active : violations.value("record.status", given.status, PatientRecord.ClinicalStatus.init(_:))
        let severity = given.severity == .unspecified ? nil : violations.value("record.severity", given.severity, PatientRecord.Severity.init(_:))
        let source = given.source == .unspecified ? .patient : violations.value("record.source", given.source, PatientRecord.Source.init(_:))
        let provider = given.providerId.isEmpty ? nil : violations.value("record.provider_id", given.providerId, UUID.init(checking:))
        let uri = violations.text("record.document_uri", given.documentUri, most: 2_048, isNeeded: false)
        violations.check([0, 32].contains(given.documentSha256.count), "record.document_sha256", "A SHA-256 has 32 bytes.")
        let onset = given.onsetOn.isEmpty ? nil : violations.value("record.onset_on", given.onsetOn, CivilDate.init(checking:))
        let at = violations.optional("record.recorded_at", given.recordedAt) { at throws(InvalidValue) in try Instant(measuredAt: at, now: now) }
        let values = try violations.complete(id, kind, title, code, content, status, source, uri)
        let record = PatientRecord(
            id: values.0, recordType: values.1, title: values.2, codeSystem: system, code: values.3.isEmpty ? nil : values.3, content: values.4,
            clinicalStatus: values.5, severity: severity, source: values.6, providerID: provider, documentURI: values.7.isEmpty ? nil : values.7,
            documentSHA256: given.documentSha256.isEmpty ? nil : given.documentSha256, onsetOn: onset, recordedAt: at ?? now,
            version: max(1, given.version))
        return NewPatientRecord(record: record, saysWhen: given.recordedAt != nil)
    }
}

/// What a caller asks of `ListPatientRecords`.
struct PatientRecordList {
    let kind: PatientRecord.RecordType?
    let size: Int
    let place: PatientRecordStore.Place?

    init(_ request: VitalsV1.ListPatientRecordsRequest) throws(RPCError) {
        var violations = FieldViolations()
        kind = request.kind == .unspecified ? nil : violations.value("kind", request.kind, PatientRecord.RecordType.init(_:))
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        self.size = try violations.complete(size)
        place = try PageToken.place(request.pageToken, of: Self.query(kind)).map { .init(at: $0.at, id: $0.id) }
    }

    private static func query(_ kind: PatientRecord.RecordType?) -> [String] { ["patient records", kind?.rawValue ?? ""] }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [PatientRecord]) throws -> VitalsV1.ListPatientRecordsResponse {
        let (page, next) = try PageToken.page(read, of: size, telling: { try VitalsV1.PatientRecord($0) }) {
            PageToken(of: Self.query(kind), behind: $0.recordedAt, $0.id)
        }
        return VitalsV1.ListPatientRecordsResponse(records: page, nextPageToken: next)
    }
}

extension VitalsV1.PatientRecord {
    init(_ record: PatientRecord) throws {
        self.init(
            id: record.id.text, version: record.version, kind: .init(record.recordType), title: record.title,
            codeSystem: record.codeSystem.map { .init($0) } ?? .unspecified, code: record.code ?? "", content: try record.content.message,
            status: .init(record.clinicalStatus), severity: record.severity.map { .init($0) } ?? .unspecified, source: .init(record.source),
            providerId: record.providerID?.text ?? "", documentUri: record.documentURI ?? "",
            documentSha256: record.documentSHA256 ?? [], onsetOn: record.onsetOn?.description ?? "", recordedAt: .init(record.recordedAt))
    }
}
