internal import Audit
internal import Foundation
internal import Postgres
internal import Time

/// Moves the old events of the audit log into a file. They leave the log once the file is whole, on the disk, and was read again: whatever is killed, each
/// event is in the log, in the file, or in both. Where the file is there already, what it holds goes on leaving the log.
struct AuditArchiving {
    let log: AuditLog
    let file: URL
    /// What is older moves.
    let before: Instant
    /// As many leave the log by one statement.
    var batchEvents = 10_000

    struct Outcome: Sendable {
        var events = 0
        var chains = 0
        /// Of the file; none where none was written.
        var sha256: [UInt8]?
        var removed = 0
        /// What does not hold of the log. From there on it stays where it is.
        var findings: [AuditFinding] = []
    }

    /// - Parameter isTrial: whether it is only counted what would move.
    func run(isTrial: Bool = false) async throws -> Outcome {
        guard let limit = try await log.archivableBefore(), before <= limit else {
            throw CommandFailure("events stay in the log for as long as heartguard.audit_retention says, and \(before.rfc3339) is later than that lets them leave.")
        }
        let isThere = FileManager.default.fileExists(atPath: file.path)
        var outcome = Outcome()
        if isTrial || !isThere {
            outcome = try await write(to: isTrial ? nil : file)
            guard !isTrial, outcome.events > 0 else { return outcome }
        }
        let archive = try whole()
        // A file that was there before may have been copied, or have got its name just before a kill.
        try PartialFile.synchronize(file)
        try PartialFile.synchronize(file.absoluteURL.deletingLastPathComponent())
        outcome.events = archive.events
        outcome.chains = archive.chains
        outcome.sha256 = archive.sha256
        outcome.removed = try await remove(archive)
        guard !isThere || outcome.removed > 0 else {
            throw CommandFailure("\(file.path) is there already, and nothing that it holds is left in the log. Name another file.")
        }
        return outcome
    }

    private func write(to file: URL?) async throws -> Outcome {
        let writer = try ArchiveWriter(file, before: before)
        let progress = TransferProgress("read", of: "events", part: 0)
        do {
            let verification = try await log.verify(
                anchors: [], since: nil, progress: { progress.advance(by: $0 - progress.documents, part: 0) }, visit: { try writer.take($0) })
            if writer.events > 0 { try writer.finish() } else { writer.remove() }
            return Outcome(events: writer.events, chains: writer.chains, findings: verification.findings)
        } catch {
            writer.remove()
            throw error
        }
    }

    /// What the file holds, if that is what was written.
    private func whole() throws -> AuditArchive {
        let reader = try ArchiveReader(file)
        var verification = AuditVerification(anchors: [], beginsAnywhere: true)
        while let event = reader.next() { verification.take(event) }
        guard let archive = reader.archive else { throw CommandFailure(reader.problem ?? "\(file.path) cannot be read.") }
        if let finding = verification.findings.first { throw CommandFailure("\(file.path): \(finding)") }
        guard archive.before == before else {
            throw CommandFailure("\(file.path) is there already, with events from before \(archive.before.rfc3339). Say that, or name another file.")
        }
        return archive
    }

    private func remove(_ archive: AuditArchive) async throws -> Int {
        let reader = try ArchiveReader(file)
        let progress = TransferProgress("removed", of: "events", part: 0)
        var removed = 0
        var read = 0
        var waiting = 0
        /// Of each chain that the batch has events of, its last.
        var ends: [AuditHead] = []
        while let event = reader.next() {
            if ends.last?.writer == event.writer { ends.removeLast() }
            ends.append(AuditHead(writer: event.writer, sequence: event.sequence, hash: event.hash))
            read += 1
            waiting += 1
            guard waiting == batchEvents || read == archive.events else { continue }
            let count = try await remove(archive, through: ends)
            removed += count
            progress.advance(by: count, part: Double(read) / Double(archive.events))
            ends = []
            waiting = 0
        }
        if let problem = reader.problem { throw CommandFailure(problem) }
        return removed
    }

    private func remove(_ archive: AuditArchive, through ends: [AuditHead]) async throws -> Int {
        do throws(PostgresError) {
            return try await log.remove(archive, through: ends)
        } catch {
            throw CommandFailure("not all events have left the log: \(error) \(file.path) has them, and the same command goes on.")
        }
    }
}
