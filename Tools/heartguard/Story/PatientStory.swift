internal import Contracts
internal import Foundation
internal import RPC
internal import Time

/// What the product does for one person once there is data: walked through as the person's app, a clinician's and whoever runs the system would, and shown.
///
/// What it makes has an id of its own, or is looked for first: walked again, it makes nothing a second time.
struct PatientStory: Sendable {
    let patient: GatewayClient
    let accounts: SampleAccounts
    let texts: MedicalTexts
    /// The conversation that a context is built for.
    let session: String
    /// The file with what a hospital has of the person.
    let hospitalRecords: String
    let stores: StateOptions
    let progress: Progress

    func tell() async throws {
        progress.line("")
        progress.line("What is done for that patient")
        try await bookVisit()
        try await takeMedications()
        try await raiseAlert()
        try await followLive()
        try await setGoal()
        try await plotSignal()
        try await takeRecordsIn()
        try await remember()
        try await buildContext()
        try await archiveConversation()
        try await letClinicianIn()
        try await takeRecordsAway()
        try await readAccessLog()
        try await verifyAuditLog()
    }

    /// Makes a call whose id is fixed. What is there under that id and says something else, somebody has changed since: it stays.
    func keep<Answer: Sendable>(_ call: (CallOptions) async throws(RPCError) -> Answer) async throws {
        do {
            _ = try await patient.patiently(call)
        } catch let error as RPCError where error.code == .alreadyExists {}
    }
}

extension GoogleProtobuf.Timestamp {
    /// To the minute, in UTC: "2026-12-01 14:00".
    var shown: String { (Instant(self)?.rfc3339).map { "\($0.prefix(10)) \($0.dropFirst(11).prefix(5))" } ?? "" }
}
