package import Contracts
internal import FoundationEssentials
package import RPC

/// Answers `heartguard.export.v1.ExportService` for a service that keeps people's records.
package struct ExportService: ExportV1.ExportServiceProtocol {
    private let records: RecordExport

    package init(_ records: RecordExport) { self.records = records }

    package func exportRecords(
        _ request: ExportV1.ExportRecordsRequest, context: RPCContext
    ) async throws -> ExportV1.ExportRecordsResponse {
        var violations = FieldViolations()
        let user = violations.value("user_id", request.userId, UUID.init(parsing:))
        let format = violations.value("format", request.format, RecordFormat.init(_:))
        let (person, told) = try violations.complete(user, format)

        let page = try await records.part(of: person, as: told, after: request.after.isEmpty ? nil : request.after)
        return ExportV1.ExportRecordsResponse(
            content: page.content, counts: page.counts.sorted { $0.key < $1.key }.map { .init(type: $0.key, count: $0.value) },
            next: page.next ?? "")
    }
}

extension RecordFormat {
    package init(_ format: ExportV1.RecordFormat) throws(InvalidValue) {
        switch format {
        case .jsonLines: self = .jsonLines
        case .fhirR4: self = .fhirR4
        default: throw InvalidValue("is needed")
        }
    }

    package var message: ExportV1.RecordFormat {
        switch self {
        case .jsonLines: .jsonLines
        case .fhirR4: .fhirR4
        }
    }
}
