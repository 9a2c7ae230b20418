internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// A service that keeps people's records, and how it is asked to remove them.
struct RecordKeeper: Sendable {
    let name: String
    /// Removes some, or all that are left.
    let erase: @Sendable (ErasureSubject) async throws -> RecordErasure.Progress

    /// Until nothing is left. What was removed, by whichever call.
    func eraseAll(_ subject: ErasureSubject) async throws -> [RemovedRows] {
        while true {
            let progress = try await erase(subject)
            if progress.isComplete { return progress.removed }
            try Task.checkCancellation()
        }
    }

    /// Another service, asked by its contract.
    init(_ name: String, at channel: RPCChannel) {
        let client = ErasureV1.ErasureServiceClient(channel)
        self.init(name: name) { subject in
            let answer = try await client.eraseRecords(
                .init(erasureId: subject.erasure.text, userId: subject.user.text))
            return RecordErasure.Progress(
                removed: answer.removed.map { RemovedRows(table: $0.table, count: $0.count) }, isComplete: answer.complete)
        }
    }

    /// This service.
    init(_ name: String, _ records: RecordErasure) {
        self.init(name: name) { subject in try await records.erase(subject) }
    }

    init(name: String, erase: @escaping @Sendable (ErasureSubject) async throws -> RecordErasure.Progress) {
        self.name = name
        self.erase = erase
    }
}
