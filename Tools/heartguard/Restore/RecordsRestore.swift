internal import Audit
internal import Foundation
internal import Postgres
internal import Time

/// Takes the file of a person's own export into a cluster that does not have the person: every row that the file may bring along, with the ids and
/// the times that it has, or none, in one transaction of the database's owner.
///
/// Rows are no calls: nothing is sent, judged or put in an outbox because of them. That it was done is on record, in the same transaction.
struct RecordsRestore {
    let file: URL
    let passwordHash: String
    /// Everything is done and taken back again.
    let isTrial: Bool

    struct Outcome: Sendable {
        let person: UUID
        let export: UUID
        /// By table, how many rows were taken in.
        var restored: [(table: String, count: Int)] = []
        var leftOut: [(table: String, count: Int, reason: String)] = []
    }

    private struct Trial: Error {
        let outcome: Outcome
    }

    /// - Throws: a `CommandFailure` that says at which line the file is wrong, or what is here already. Nothing has changed then.
    func run(_ postgres: Postgres) async throws -> Outcome {
        var records = try RecordsFile(file)
        let identity = Identity([("heartguard.user_id", records.person.text)])
        do {
            return try await postgres.transaction(identity: identity, tier: TimeoutTier(limit: .seconds(86_400))) { transaction in
                let outcome = try await restore(&records, transaction)
                if isTrial { throw Trial(outcome: outcome) }
                return outcome
            }
        } catch let trial as Trial {
            return trial.outcome
        } catch let error as PostgresError {
            throw CommandFailure(Self.sentence(error, of: records.person))
        }
    }

    nonisolated(nonsending) private func restore(_ records: inout RecordsFile, _ transaction: Transaction) async throws -> Outcome {
        var outcome = Outcome(person: records.person, export: records.export)
        try await transaction.execute(script: Staging.script)
        var columns = try await stage(&records, transaction, &outcome)
        try await transaction.execute(.accountWaits(passwordHash: passwordHash))
        try await transaction.execute(.sessionsEnd)
        try await transaction.execute(.grantsEnd)
        let damaged = try await StagedArchives(transaction: transaction).pack()
        if damaged > 0 { outcome.leftOut.append(("chat.session_archives", damaged, "not all of their messages are in the file")) }
        try await transaction.execute(.analyzeStaging)

        for table in try await transaction.rows(.inOrder(Array(columns.keys))).map(\.value) {
            if let supplied = RestoredTable.supplied[table] { columns[table]?.append(supplied) }
            let count = Int(try await transaction.first(.restore(table, columns: columns[table] ?? []))?.value ?? 0)
            if count > 0 { outcome.restored.append((table, count)) }
            let others = (records.counts[table] ?? 0) - count - (table == "chat.session_archives" ? damaged : 0)
            if others > 0 { outcome.leftOut.append((table, others, "they refer to what is not in this cluster")) }
        }
        guard outcome.restored.contains(where: { $0.table == "users.users" }) else { throw CommandFailure("the file has no account: no row of users.users.") }
        try await transaction.execute(.record(AuditBatch([event(outcome)], behind: AuditChain())))
        return outcome
    }

    /// Has every row of the file wait that can be taken in. Returns the columns of their tables. The file is whole when this returns.
    nonisolated(nonsending) private func stage(
        _ records: inout RecordsFile, _ transaction: Transaction, _ outcome: inout Outcome
    ) async throws -> [String: [String]] {
        let known = Dictionary(uniqueKeysWithValues: try await transaction.rows(.restoredTables).map { ($0.name, $0) })
        let progress = TransferProgress("read", of: "records", part: 0)
        let size = Double(max(1, try file.byteCount()))
        var lines = StagedLines()
        var columns: [String: [String]] = [:]
        while let line = try records.next() {
            switch line {
            case .table(let name, let names):
                guard let table = known[name] else { throw records.failure("this cluster has no table \(name): its version is another than the file's.") }
                if let strange = names.first(where: { !table.columns.contains($0) }) {
                    throw records.failure("\(strange) is no column of \(name) that a file brings along here.")
                }
                if table.reason == nil { columns[name] = names }
            case .record(let name, let line) where columns[name] != nil: lines.append(line, records.number, of: name)
            case .archivedMessage(let session, let line): lines.append(line, records.number, of: StagedArchives.relation(of: session))
            // Those that are counted are told of below.
            case .record, .damagedArchive: continue
            }
            if lines.isFull { try await flush(&lines, transaction, progress, Double(records.offset) / size) }
        }
        try await flush(&lines, transaction, progress, 1)
        FileHandle.standardError.say("the file is whole; its rows are taken in")
        for (table, count) in records.counts.sorted(by: { $0.key < $1.key }) {
            if let reason = known[table]?.reason { outcome.leftOut.append((table, count, reason)) }
        }
        return columns.filter { records.counts[$0.key] != nil }
    }

    nonisolated(nonsending) private func flush(
        _ lines: inout StagedLines, _ transaction: Transaction, _ progress: TransferProgress, _ part: Double
    ) async throws {
        if lines.count > 0 { try await transaction.execute(lines.insertion) }
        progress.advance(by: lines.count, part: part)
        lines = StagedLines()
    }

    /// What the person finds among the accesses to their record. It is a chain by itself, since each process writes its own.
    private func event(_ outcome: Outcome) -> AuditEvent {
        AuditEvent(
            occurredAt: .now(), person: outcome.person, actor: nil, actorKind: .operator_, program: "heartguard", service: "heartguard.command",
            method: "RestoreRecords", action: .write, resource: outcome.export, purpose: .systemAdministration, status: 0, trace: UUID(), request: "")
    }

    private static func sentence(_ error: PostgresError, of person: UUID) -> String {
        switch error.constraint {
        case "users_pkey": "\(person.text) is in this cluster already, and nobody is overwritten."
        case "users_email_key": "another account of this cluster has the e-mail address of the file."
        case "appointments_provider_is_free": "an appointment of the file is at a time at which its provider sees somebody else here."
        case "appointments_confirmation_code_key": "an appointment of the file has the confirmation code of somebody else's here."
        default: "the records were not restored: \(error)"
        }
    }
}
