internal import Application
internal import FoundationEssentials
internal import JSON
internal import Jobs
internal import Postgres

extension ImportRepository {
    /// Puts bytes behind those that have come; those that are there already are passed over. When all have come the file is checked, and either
    /// the job is decided on that takes it in, or the import has failed.
    ///
    /// Throws `ImportsError.notFound`, `.gap`, and `.unusable`, also when the import had failed before.
    func write(_ content: [UInt8], at offset: Int64, to id: UUID, of user: UserID) async throws -> Import {
        let job = try await postgres.transaction(identity: .user(user.uuid), tier: .normal) { transaction in
            let (_, found) = try await transaction.batch(.lockImport(id, of: user), .importJob(id, of: user))
            guard let job = try found.first() else { throw ImportsError.notFound }
            guard offset + Int64(content.count) <= job.byteCount else {
                throw ImportsError.unusable("The file was said to have \(job.byteCount) bytes, and more came.")
            }
            guard job.state == .uploading else { return job }
            let received = job.receivedByteCount
            guard offset <= received else { throw ImportsError.gap(next: received) }
            let new = Array(content.dropFirst(Int(received - offset)))
            guard !new.isEmpty else { return job }
            try await transaction.execute(.append(new, at: received, to: id, of: user))
            return try await transaction.first(.importJob(id, of: user)) ?? job
        }
        if let reason = job.failure { throw ImportsError.unusable(reason) }
        guard job.waitsForCheck else { return job }
        return try await check(job, of: user)
    }

    /// Reads the whole file once.
    private func check(_ job: Import, of user: UserID) async throws -> Import {
        let subject = ImportSubject(import: job.id, user: user.uuid)
        do {
            _ = try await ImportFile(job, subject, self).outline()
        } catch let error as JSONSyntaxError {
            try await fail(subject, because: error.sentence)
            throw ImportsError.unusable(error.sentence)
        }
        try await postgres.transaction(identity: .user(user.uuid)) { transaction in
            guard try await transaction.execute(.beginTaking(subject)) == 1 else { return }
            try await outbox.add(subject.event(), in: transaction)
        }
        guard let begun = try await find(job.id, of: user) else { throw ImportsError.notFound }
        return begun
    }
}
