internal import Application
internal import Contracts
internal import FHIR
internal import FoundationEssentials
internal import JSON
internal import Jobs
internal import Logging
internal import Postgres
internal import Time

/// Takes imports in. A step gives some entries to those who keep such, and writes down what became of them together with the place behind them. Vitals
/// answers the same step again as it did before. So whatever is killed, the next run goes on from there: nothing is missing, nothing is there
/// twice, and each entry is counted once.
struct ImportJobs: Sendable {
    let imports: ImportRepository
    let takers: [RecordTaker]
    let logger: Logger
    /// Entries of a step.
    var mostEntries = ImportBatch.mostEntries
    var retries = RetryPolicy(maximumTries: 1_000)

    private static let upkeep = Job<Int?>("keep_imports", retries: .once, resultLife: nil)

    /// Jobs are lost with a Redis that loses its data; what they were for is on record. And what is over goes.
    static let hourly = CronEntry("keep_imports", .hourly, upkeep, catchUp: .once) { _ in nil }

    var handlers: [JobHandler] {
        [
            JobHandler(ImportSubject.job(retries)) { subject, _ in try await take(subject) },
            JobHandler(Self.upkeep) { _, _ in
                let removed = try await imports.removeExpired()
                if removed > 0 { logger.info("imports whose time is over were removed", metadata: ["imports": "\(removed)"]) }
                let resumed = try await imports.resume(requestedBefore: .now() - .seconds(2 * 3_600))
                if resumed > 0 { logger.warning("imports were taken up again", metadata: ["imports": "\(resumed)"]) }
            },
        ]
    }

    /// Until the import has finished, or there is none to take in.
    func take(_ subject: ImportSubject) async throws {
        guard let job = try await imports.find(subject.import, of: UserID(subject.user)), job.state == .running else { return }
        let file = ImportFile(job, subject, imports)
        do {
            let outline = try await file.outline()
            var (counts, batch) = (job.counts, ImportBatch(behind: job.place, mostEntries: mostEntries))
            let types = takers.reduce(into: Set<String>()) { $0.formUnion($1.types) }
            try await file.forEachEntry(behind: job.place) { piece, entry in
                batch.add(piece, entry, by: outline, of: job, subject.user, types: types)
                guard batch.isFull else { return }
                counts = try await deal(with: batch, counts, of: job, subject)
                batch = ImportBatch(behind: batch.end, mostEntries: mostEntries)
            }
            if !batch.entries.isEmpty { _ = try await deal(with: batch, counts, of: job, subject) }
            try await imports.finish(subject, at: batch.end)
        } catch is ImportFile.Gone {
            // Deleted meanwhile, or finished by another run.
        } catch let error as JSONSyntaxError {
            // It was in order when it was checked.
            try await imports.fail(subject, because: error.sentence)
        }
    }

    /// The counts with those of the batch.
    private func deal(with batch: ImportBatch, _ counts: ImportCounts, of job: Import, _ subject: ImportSubject) async throws -> ImportCounts {
        try Task.checkCancellation()
        var batch = batch
        for taker in takers {
            let given = batch.resources.filter { taker.types.contains(batch.entries[$0.position].type) }
            guard !given.isEmpty else { continue }
            let outcomes = try await take(given.map(\.resource), by: taker, batch.place, of: job, subject)
            for (each, outcome) in zip(given, outcomes) { batch.set(outcome, at: each.position) }
        }
        let dealt = batch
        return try await imports.postgres.transaction(identity: .user(subject.user), tier: .normal) { [batch = dealt] transaction in
            var batch = batch
            let outcomes = try await VisitImport(transaction: transaction, user: UserID(subject.user)).keep(batch.visits.map(\.visit))
            for (each, outcome) in zip(batch.visits, outcomes) { batch.set(outcome, at: each.position) }
            let counts = batch.counted(into: counts)
            guard try await transaction.execute(.goOn(subject, from: batch.place, to: batch.end, counts)) == 1 else {
                throw JobFailure.temporary("Another run has come further with the import, or it is gone.")
            }
            return counts
        }
    }

    private func take(
        _ resources: [ImportsV1.ImportedResource], by taker: RecordTaker, _ place: EntryReader.Place, of job: Import, _ subject: ImportSubject
    ) async throws -> [ImportOutcome] {
        let request = ImportsV1.ImportRecordsRequest(
            userId: subject.user.text, importId: subject.import.text, place: place.entry, source: job.source,
            resources: resources)
        do {
            let outcomes = try await taker.take(request)
            guard outcomes.count == resources.count else { throw JobFailure.temporary("A service has not said of each record what became of it.") }
            return outcomes
        } catch {
            try Task.checkCancellation()
            logger.warning("a service has not taken a person's records", metadata: ["reason": "\(error)"])
            throw JobFailure.temporary("Not every service has taken the person's records.")
        }
    }
}
