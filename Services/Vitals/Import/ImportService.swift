internal import Application
internal import Contracts
internal import FHIR
internal import RPC

/// Answers `heartguard.imports.v1.ImportService`.
struct ImportService: Sendable {
    let records: RecordImport
    let latest: LatestObservations
}

extension ImportService: ImportsV1.ImportServiceProtocol {
    func importRecords(
        _ request: ImportsV1.ImportRecordsRequest, context: RPCContext
    ) async throws -> ImportsV1.ImportRecordsResponse {
        let part = try ImportPart(request)
        let outcomes = try await latest.changing(of: part.user) { try await records.keep(part) }
        return ImportsV1.ImportRecordsResponse(outcomes: outcomes.map { ImportsV1.ImportOutcome(rawValue: $0.rawValue) })
    }
}
