internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// The methods of `heartguard.vitals.v1.PatientRecordsService`: each parses its request, does one thing and answers.
struct PatientRecordsService: Sendable {
    let records: PatientRecordStore
}

extension PatientRecordsService: VitalsV1.PatientRecordsServiceProtocol {
    func createPatientRecord(
        _ request: VitalsV1.CreatePatientRecordRequest, context: RPCContext
    ) async throws -> VitalsV1.CreatePatientRecordResponse {
        let record = try NewPatientRecord.parsed(request.record, knowsVersion: false)
        return VitalsV1.CreatePatientRecordResponse(record: try .init(try await records.create(record, of: try context.userID)))
    }

    func getPatientRecord(
        _ request: VitalsV1.GetPatientRecordRequest, context: RPCContext
    ) async throws -> VitalsV1.GetPatientRecordResponse {
        let record = try await records.find(try .init(named: "record_id", request.recordId), of: try context.userID)
        return VitalsV1.GetPatientRecordResponse(record: try .init(record))
    }

    func listPatientRecords(
        _ request: VitalsV1.ListPatientRecordsRequest, context: RPCContext
    ) async throws -> VitalsV1.ListPatientRecordsResponse {
        let list = try PatientRecordList(request)
        return try list.page(try await records.list(of: try context.userID, kind: list.kind, behind: list.place, limit: list.size + 1))
    }

    func updatePatientRecord(
        _ request: VitalsV1.UpdatePatientRecordRequest, context: RPCContext
    ) async throws -> VitalsV1.UpdatePatientRecordResponse {
        let record = try NewPatientRecord.parsed(request.record, knowsVersion: true)
        return VitalsV1.UpdatePatientRecordResponse(record: try .init(try await records.replace(record, of: try context.userID)))
    }

    func deletePatientRecord(
        _ request: VitalsV1.DeletePatientRecordRequest, context: RPCContext
    ) async throws -> VitalsV1.DeletePatientRecordResponse {
        try await records.remove(try .init(named: "record_id", request.recordId), of: try context.userID)
        return VitalsV1.DeletePatientRecordResponse()
    }
}
