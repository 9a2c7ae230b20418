internal import Application
internal import Crypto
internal import FoundationEssentials
internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// Writes exports. A step asks a service for a part of what it keeps and puts it behind what is written, with the place where the next part begins,
/// in one statement. So whatever is killed, the next run goes on from there: nothing is missing and nothing is there twice.
struct ExportJobs: Sendable {
    let exports: ExportRepository
    let tellers: [RecordTeller]
    let logger: Logger
    /// The largest file.
    var mostBytes = Export.mostBytes
    var retries = RetryPolicy(maximumTries: 1_000)

    private static let upkeep = Job<Int?>("keep_exports", retries: .once, resultLife: nil)

    /// Jobs are lost with a Redis that loses its data; what they were for is on record. And what is over goes.
    static let hourly = CronEntry("keep_exports", .hourly, upkeep, catchUp: .once) { _ in nil }

    var handlers: [JobHandler] {
        [
            JobHandler(ExportSubject.job(retries)) { subject, _ in try await write(subject) },
            JobHandler(Self.upkeep) { _, _ in
                let removed = try await exports.removeExpired()
                if removed > 0 { logger.info("exports whose time is over were removed", metadata: ["exports": "\(removed)"]) }
                let resumed = try await exports.resume(requestedBefore: .now() - .seconds(2 * 3_600))
                if resumed > 0 { logger.warning("exports were taken up again", metadata: ["exports": "\(resumed)"]) }
            },
        ]
    }

    /// Until the export has finished, or there is none to write.
    func write(_ subject: ExportSubject) async throws {
        while let export = try await exports.find(subject.export, of: UserID(subject.user)), export.state == .running {
            try Task.checkCancellation()
            try await step(of: export, subject)
        }
    }

    private func step(of export: Export, _ subject: ExportSubject) async throws {
        let file = ExportFile(export: export, user: UserID(subject.user))
        guard let standing = try await exports.lastChunk(of: subject) else {
            let first = tellers.first.map { ExportChunk.Next(teller: $0.name, place: nil) }
            _ = try await exports.append(ExportChunk(firstByte: 0, content: file.beginning, next: first), to: subject)
            return
        }
        guard let chunk = try await records(behind: standing, of: subject, as: export.format) else {
            return try await finish(file, subject, at: standing.end)
        }
        guard chunk.end <= mostBytes else {
            return try await exports.fail(subject, because: "What is kept of you takes more than \(mostBytes) bytes; ask for it in another way.")
        }
        // If another has written there, the next step sees it.
        _ = try await exports.append(chunk, to: subject)
    }

    /// The next part that has anything in it, of whichever service; `nil` when there is none.
    private func records(
        behind standing: ExportRepository.Standing, of subject: ExportSubject, as format: RecordFormat
    ) async throws -> ExportChunk? {
        guard let next = standing.next else { return nil }
        var place = next.place
        var rest = tellers.drop { $0.name != next.teller }
        while let teller = rest.first {
            let page = try await part(of: teller, subject.user, format, after: place)
            place = page.next
            if page.next == nil { rest = rest.dropFirst() }
            guard page.content.isEmpty else {
                return ExportChunk(
                    firstByte: standing.end, content: page.content, counts: page.counts,
                    next: rest.first.map { ExportChunk.Next(teller: $0.name, place: place) })
            }
        }
        return nil
    }

    private func part(of teller: RecordTeller, _ user: UUID, _ format: RecordFormat, after place: String?) async throws -> RecordPage {
        do {
            return try await teller.tell(user, format, place)
        } catch {
            try Task.checkCancellation()
            logger.warning("a service has not told a person's records", metadata: ["service": "\(teller.name)", "reason": "\(error)"])
            throw JobFailure.temporary("Not every service has told the person's records.")
        }
    }

    /// Reads through what is written, once, and says of it what it is.
    private func finish(_ file: ExportFile, _ subject: ExportSubject, at end: Int64) async throws {
        // Another run may have written since the export was read.
        guard let whole = try await exports.find(subject.export, of: file.user), whole.byteCount == end else { return }
        var digest = SHA256()
        var place: Int64 = 0
        while place < end {
            guard let chunk = try await exports.chunk(at: place, of: subject.export, file.user), chunk.firstByte == place else { return }
            digest.update(data: chunk.content)
            place = chunk.end
        }
        let manifest = ExportFile.Manifest(
            bytes: end, sha256: digest.finalize().hexadecimal, counts: whole.counts)
        let last = ExportChunk(firstByte: end, content: file.end(manifest))
        digest.update(data: last.content)
        _ = try await exports.finish(subject, with: last, sha256: Array(digest.finalize()))
    }
}
