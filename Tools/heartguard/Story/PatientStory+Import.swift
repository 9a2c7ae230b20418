internal import Contracts
internal import Foundation
internal import RPC

extension PatientStory {
    /// What a hospital has of the person, taken in from a file of FHIR, each resource once, and counted.
    func takeRecordsIn() async throws {
        let file = URL(filePath: hospitalRecords)
        try FileBytes.check(file)
        let job = try await RecordsUpload(
            file: file, format: .init(of: file), source: "st-marys", client: patient, patience: .seconds(60)
        ).run()
        guard job.state == .finished else {
            let imports = UsersV1.ImportsServiceClient(patient.channel)
            // Out of the way of the next.
            _ = try await patient.patiently { options throws(RPCError) in try await imports.deleteImport(.init(importId: job.id), options: options) }
            throw CommandFailure("the import has failed: \(job.failure)")
        }
        let became = job.counts.map { count in
            let numbers: [(count: Int64, what: String)] = [
                (count.importedCount, "imported"), (count.existingCount, "there before"), (count.skippedCount, "skipped"), (count.failedCount, "failed"),
            ]
            let said = numbers.filter { $0.count > 0 }.map { "\($0.count) \($0.what)" }.joined(separator: ", ")
            let reasons = count.issues.map { "\($0.reason)" }.joined(separator: ", ")
            return "\(count.type) \(said)\(reasons.isEmpty ? "" : " (\(reasons))")"
        }
        progress.step("import", "a hospital's Bundle of FHIR R4, each resource taken in once: \(became.joined(separator: "; "))")
    }
}
