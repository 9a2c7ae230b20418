internal import Logging
internal import Migrations
internal import Postgres
internal import Schema

/// The one chain of revisions against one database, with the owner's role.
struct SchemaMigration: Sendable {
    /// That of the owner's role.
    let configuration: PostgresConfiguration

    /// Applies what is missing; a sentence about it.
    func up() async throws -> String {
        try await withMigrator { migrator in
            let applied = try await migrator.up()
            let all = Schema.chain.revisions.count
            return applied.isEmpty
                ? "is current at \(Schema.chain.revisions.last?.id ?? "nothing") (\(all) revisions)"
                : "brought up to date: \(applied.joined(separator: ", "))"
        }
    }

    /// Takes back the newest revision, or all behind one that stays; a sentence about it.
    func down(to survivor: String?) async throws -> String {
        try await withMigrator { migrator in
            let reverted = try await migrator.down(to: survivor)
            return reverted.isEmpty ? "had nothing to take back" : "lost \(reverted.joined(separator: ", "))"
        }
    }

    /// Makes sure that nothing that was applied differs from the chain, and nothing in the schema from what was applied.
    func verify() async throws -> String {
        try await withMigrator { migrator in
            try await migrator.verify()
            return "What was applied is what the chain says, and the schema is what it left."
        }
    }

    /// One line a revision: those of the chain, and what else the database has.
    func status() async throws -> [String] {
        try await withMigrator { migrator in
            let (applied, _) = try await migrator.status()
            let chain = Schema.chain.revisions.map { revision in
                let found = applied.first { $0.id == revision.id }
                let when = found.map { "applied \($0.appliedAt)\($0.checksum == revision.checksum ? "" : ", with another text")" } ?? "missing"
                return "\(revision.id)  \(revision.name)  \(when)"
            }
            let known = Set(Schema.chain.revisions.map(\.id))
            let others = applied.filter { !known.contains($0.id) }
            return chain + others.map { "\($0.id)  \($0.name)  applied \($0.appliedAt), unknown to this program" }
        }
    }

    private func withMigrator<Value: Sendable>(_ body: @escaping @Sendable (Migrator) async throws -> Value) async throws -> Value {
        let postgres = Postgres(configuration: configuration, logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await postgres.run() }
            defer { group.cancelAll() }
            do {
                return try await body(Migrator(postgres, chain: Schema.chain, logger: .silent))
            } catch let error as MigrationError {
                throw CommandFailure("\(error)")
            } catch let error as PostgresError {
                throw CommandFailure("the database could not be migrated: \(error)")
            }
        }
    }
}
