internal import Audit
internal import Contracts
internal import Foundation
internal import RPC
internal import Time

extension PatientStory {
    /// All that is kept of the person, as a file in FHIR.
    func takeRecordsAway() async throws {
        let exports = UsersV1.ExportsServiceClient(patient.channel)
        var export = try await patient.patiently { options throws(RPCError) in
            try await exports.startExport(.init(clientId: "sample-export", format: .fhirR4), options: options)
        }.export
        let end = ContinuousClock.now + .seconds(60)
        while let running = export, running.state == .running {
            guard ContinuousClock.now < end else { throw CommandFailure("the export was not finished within a minute.") }
            try await Task.sleep(for: .milliseconds(50))
            export = try await patient.patiently { options throws(RPCError) in
                try await exports.getExport(.init(exportId: running.id), options: options)
            }.export
        }
        guard let export, export.state == .finished else {
            if let id = export?.id {
                // Out of the way of the next.
                _ = try await patient.patiently { options throws(RPCError) in try await exports.deleteExport(.init(exportId: id), options: options) }
            }
            throw CommandFailure("the export has failed: \(export?.failure ?? "nothing is known of it")")
        }
        let counts = export.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
        progress.step(
            "export",
            "a Bundle of FHIR R4, \(Int(export.byteCount).shown) bytes, with \(counts.map { "\(Int($0.value).shown) \($0.key)" }.joined(separator: ", ")); SHA-256 \(export.sha256.prefix(12))…")
    }

    /// Who has read the person's records, as the person is told.
    func readAccessLog() async throws {
        let log = UsersV1.AccessLogServiceClient(patient.channel)
        let events = try await patient.patiently { options throws(RPCError) in
            try await log.listAccessEvents(.init(pageSize: 100), options: options)
        }.events
        progress.step("access log", "the newest of what others asked of that patient's records, why (in HL7's terms), and how it ended")
        for event in events.filter({ $0.actorKind == .clinician }).prefix(2) {
            let outcome = event.outcome == .denied ? "denied" : event.status
            progress.step("", "\(event.occurredAt?.shown ?? ""), a clinician, \(event.description_p), for \(event.purpose): \(outcome)")
        }
    }

    /// What `heartguard audit verify` does, of the last hour.
    func verifyAuditLog() async throws {
        let anchors = try await AuditStores.heads(stores)
        let began = ContinuousClock.now
        let verification = try await AuditStores.withLog(stores) { log in
            try await log.verify(anchors: anchors, since: Instant.now() - .seconds(3_600))
        }
        guard verification.findings.isEmpty else {
            throw CommandFailure("the audit log is not what was written; `heartguard audit verify` names what is wrong.")
        }
        progress.step(
            "audit verify",
            "\(verification.events.shown) events of the last hour in \(verification.chains.shown) chains are what was written (\(began.duration(to: .now).milliseconds))")
    }
}
