internal import Application
internal import FoundationEssentials
internal import Jobs
internal import Logging
internal import Postgres
internal import Time
internal import Tokens

/// What follows when an account is closed. A first job has every service remove what it keeps, at once. A second does the same again when
/// nothing can be written for the account any more, signs the receipt and removes the account's row. Both may be broken off anywhere.
struct ErasureJobs: Sendable {
    let erasures: ErasureRepository
    let keepers: [RecordKeeper]
    let signer: TokenSigner
    let logger: Logger
    /// Between the closing of an account and the removal that counts. Until an access token of the account has expired and the calls that were
    /// made with it have ended, a service that could not be told may still write for it.
    var settling = Duration.seconds(20 * 60)
    var retries = RetryPolicy(maximumTries: 1_000)

    private static let resumption = Job<Int?>("resume_erasures", retries: .once, resultLife: nil)

    /// Jobs are lost with a Redis that loses its data; what they were for is on record.
    static let hourly = CronEntry("resume_erasures", .hourly, resumption, catchUp: .once) { _ in nil }

    var handlers: [JobHandler] {
        [
            JobHandler(ErasureStep.eraseAccount.job(retries)) { subject, run in try await eraseAccount(subject, run) },
            JobHandler(ErasureStep.finishErasure.job(retries)) { subject, run in try await finish(subject, run) },
            JobHandler(Self.resumption) { _, _ in
                let count = try await erasures.resume(requestedBefore: .now() - settling - .seconds(3_600))
                if count > 0 { logger.warning("erasures were taken up again", metadata: ["erasures": "\(count)"]) }
            },
        ]
    }

    private func eraseAccount(_ subject: ErasureSubject, _ run: JobRun) async throws {
        let (id, user) = (ErasureID(subject.erasure), UserID(subject.user))
        guard let erasure = try await erasures.find(id), erasure.finishedAt == nil else { return }
        _ = try await eraseEverywhere(subject)
        _ = try await run.commit { transaction in
            try await erasures.add(.finishErasure, of: id, user, due: erasure.requestedAt + settling, in: transaction)
        }
    }

    private func finish(_ subject: ErasureSubject, _ run: JobRun) async throws {
        let (id, user) = (ErasureID(subject.erasure), UserID(subject.user))
        guard let erasure = try await erasures.find(id), erasure.finishedAt == nil else { return }
        var removed = try await eraseEverywhere(subject)
        removed["users", default: []].append(RemovedRows(table: "users", count: 1))
        let now = Instant.now()
        let receipt = ErasureReceipt(erasure, finishedAt: now, issuer: signer.issuer, removed: removed)
        let signed = try signer.sign(receipt, type: ErasureReceipt.type)
        _ = try await run.commit(identity: .user(user.uuid)) { transaction in
            guard try await transaction.execute(.finish(id, at: now, receipt: signed)) == 1 else { return }
            _ = try await transaction.first(.removeAccount(for: id))
            try await transaction.execute(.forgetEvents(of: user))
        }
    }

    /// Asks all who keep records, at once, until nothing is left anywhere. One that cannot be asked holds up none of the others.
    private func eraseEverywhere(_ subject: ErasureSubject) async throws -> [String: [RemovedRows]] {
        try await withThrowingTaskGroup(of: (String, Result<[RemovedRows], any Error>).self) { group in
            for keeper in keepers {
                group.addTask {
                    do { return (keeper.name, .success(try await keeper.eraseAll(subject))) } catch { return (keeper.name, .failure(error)) }
                }
            }
            var removed: [String: [RemovedRows]] = [:]
            var failed: [String] = []
            for try await (name, result) in group {
                switch result {
                case .success(let rows): removed[name] = rows
                case .failure(let error):
                    failed.append(name)
                    logger.warning("a service has not removed a person's records", metadata: ["service": "\(name)", "reason": "\(error)"])
                }
            }
            guard failed.isEmpty else { throw JobFailure.temporary("Not every service has removed the person's records.") }
            return removed
        }
    }
}
