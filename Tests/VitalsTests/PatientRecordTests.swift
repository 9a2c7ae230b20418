internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension VitalsV1.PatientRecord {
    fileprivate static func asthma(_ minute: Int = 0, id: String = "") -> VitalsV1.PatientRecord {
        VitalsV1.PatientRecord(
            id: id, kind: .condition, title: "Asthma", codeSystem: .snomed, code: "195967001",
            content: .init(fields: ["triggers": .init(kind: .listValue(.init(values: [.init(kind: .stringValue("pollen"))])))]),
            severity: .mild, onsetOn: "2011-05-01", recordedAt: .init(morning + .seconds(60 * minute)))
    }
}

private func withRecords(_ body: (PatientRecordsService) async throws -> Void) async throws {
    try await withVitals { _, postgres in try await body(PatientRecordsService(records: PatientRecordStore(postgres: postgres))) }
}

extension PatientRecordsService {
    @discardableResult
    fileprivate func create(_ record: VitalsV1.PatientRecord, as caller: Caller) async throws -> VitalsV1.PatientRecord {
        try #require(try await createPatientRecord(.init(record: record), context: caller.context).record)
    }
}

@Suite struct `A patient's record` {
    @Test func `is made once by a call that is made again, replaced by its version, and taken away`() async throws {
        try await withRecords { records in
            let (ada, bob) = (Caller(), Caller())
            let id = UUID().uuidString.lowercased()
            var open = VitalsV1.PatientRecord.asthma(id: id)
            open.recordedAt = nil
            let made = try await records.create(open, as: ada)

            #expect(made.version == 1 && made.status == .active && made.source == .patient && made.content == open.content)
            #expect(try await records.create(open, as: ada) == made)
            var other = made
            (other.title, other.version) = ("Eczema", 0)
            let another = other
            await expect(.alreadyExists) { try await records.create(another, as: ada) }
            other.version = 1
            other.status = .resolved
            let changed = other
            let replaced = try await records.updatePatientRecord(.init(record: changed), context: ada.context).record
            #expect(try await records.updatePatientRecord(.init(record: changed), context: ada.context).record == replaced)
            #expect(replaced?.version == 2 && replaced?.title == "Eczema" && replaced?.status == .resolved)
            var late = made
            late.title = "Late"
            let stale = late
            await expect(.aborted) { try await records.updatePatientRecord(.init(record: stale), context: ada.context) }
            late.version = .max
            let last = late
            await expect(.aborted) { try await records.updatePatientRecord(.init(record: last), context: ada.context) }
            await expect(.notFound) { try await records.updatePatientRecord(.init(record: changed), context: bob.context) }
            await expect(.notFound) { try await records.getPatientRecord(.init(recordId: id), context: bob.context) }
            _ = try await records.deletePatientRecord(.init(recordId: id), context: bob.context)
            #expect(try await records.getPatientRecord(.init(recordId: id), context: ada.context).record == replaced)
            for _ in 0..<2 { _ = try await records.deletePatientRecord(.init(recordId: id), context: ada.context) }
            await expect(.notFound) { try await records.getPatientRecord(.init(recordId: id), context: ada.context) }
        }
    }

    @Test func `is listed newest first, by kind, in pages`() async throws {
        try await withRecords { records in
            let ada = Caller()
            for minute in [2, 0, 1] { try await records.create(.asthma(minute), as: ada) }
            try await records.create(.init(kind: .allergy, title: "Nuts", recordedAt: .init(morning)), as: ada)
            var request = VitalsV1.ListPatientRecordsRequest(kind: .condition, pageSize: 2)
            var times: [Int64] = []
            repeat {
                let page = try await records.listPatientRecords(request, context: ada.context)
                times += page.records.map { (($0.recordedAt?.seconds ?? 0) - morning.microsecondsSinceEpoch / 1_000_000) / 60 }
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(times == [2, 1, 0])
            #expect(try await records.listPatientRecords(.init(), context: ada.context).records.count == 4)
        }
    }

    @Test func `is listed in pages that fit into an answer`() async throws {
        try await withRecords { records in
            let ada = Caller()
            for minute in 0..<50 {
                var given = VitalsV1.PatientRecord.asthma(minute)
                given.content = .init(fields: ["text": .init(kind: .stringValue(String(repeating: "x", count: 65_000)))])
                try await records.create(given, as: ada)
            }
            var request = VitalsV1.ListPatientRecordsRequest(pageSize: 100)
            var ids: [[String]] = []
            repeat {
                let page = try await records.listPatientRecords(request, context: ada.context)
                ids.append(page.records.map(\.id))
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(ids.map(\.count) == [48, 2] && Set(ids.joined()).count == 50)
        }
    }

    @Test func `is refused with what is wrong about it`() async throws {
        try await withRecords { records in
            let ada = Caller()
            await expect(.invalidArgument, fields: ["record.kind", "record.title"]) { try await records.create(.init(), as: ada) }
            var wrong = VitalsV1.PatientRecord.asthma()
            (wrong.code, wrong.documentSha256, wrong.onsetOn, wrong.providerId) = ("", [1], "soon", "me")
            wrong.content = .init(fields: ["text": .init(kind: .stringValue(String(repeating: "x", count: 70_000)))])
            let record = wrong
            await expect(
                .invalidArgument,
                fields: Set(["code", "document_sha256", "onset_on", "provider_id", "content"].map { "record.\($0)" })
            ) { try await records.create(record, as: ada) }
        }
    }
}
