package import Contracts
internal import FoundationEssentials
package import RPC

/// Answers `heartguard.erasure.v1.ErasureService` for a service that keeps people's records.
package struct ErasureService: ErasureV1.ErasureServiceProtocol {
    private let records: RecordErasure

    package init(_ records: RecordErasure) { self.records = records }

    package func eraseRecords(
        _ request: ErasureV1.EraseRecordsRequest, context: RPCContext
    ) async throws -> ErasureV1.EraseRecordsResponse {
        var violations = FieldViolations()
        let erasure = violations.value("erasure_id", request.erasureId, UUID.init(parsing:))
        let user = violations.value("user_id", request.userId, UUID.init(parsing:))
        let (id, person) = try violations.complete(erasure, user)

        let progress = try await records.erase(ErasureSubject(erasure: id, user: person))
        return ErasureV1.EraseRecordsResponse(
            removed: progress.removed.map { .init(table: $0.table, count: $0.count) }, complete: progress.isComplete)
    }
}

extension UUID {
    /// Throws for what is no UUID.
    package init(parsing text: String) throws(InvalidValue) {
        guard let uuid = UUID(uuidString: text) else { throw InvalidValue("is not a UUID") }
        self = uuid
    }
}
