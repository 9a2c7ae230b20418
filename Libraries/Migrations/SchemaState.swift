package import Postgres
package import Time

/// A revision as the database remembers it.
package struct AppliedRevision: Sendable, Hashable {
    package let id: String
    package let name: String
    package let checksum: String
    package let appliedAt: Instant
    package let executionMilliseconds: Int64
}

extension AppliedRevision: RowDecodable {
    package init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        name = try row.decode("name")
        checksum = try row.decode("checksum")
        appliedAt = try row.decode("applied_at")
        executionMilliseconds = try row.decode("execution_ms")
    }

    /// In the order in which they were applied.
    static let query: Query = """
        SELECT id, name, checksum, applied_at, execution_ms FROM heartguard.schema_migrations ORDER BY position
        """
}

/// How a database's schema stands to the chain of this program.
package enum SchemaState: Sendable, Hashable {
    /// The same revisions with the same text.
    case current
    /// These are still to be applied.
    case behind(missing: [String])
    /// All of the chain has been applied, and these behind it, of a newer program. A revision keeps what code of before needs.
    case ahead(unknown: [String])
    /// The database has this revision, and the chain has it with another text, or has another in its place.
    case diverged(String)

    /// What has been applied has to be the beginning of the chain, or the chain that of what has been applied.
    package init(applied: [AppliedRevision], chain: MigrationChain) {
        for (revision, known) in zip(applied, chain.revisions) where known.id != revision.id || known.checksum != revision.checksum {
            self = .diverged(revision.id)
            return
        }
        let missing = chain.revisions.dropFirst(applied.count).map(\.id)
        let unknown = applied.dropFirst(chain.revisions.count).map(\.id)
        self = !missing.isEmpty ? .behind(missing: missing) : unknown.isEmpty ? .current : .ahead(unknown: unknown)
    }
}

package enum Migrations {
    /// How the schema stands, as any role may ask that may connect. A database without the table has nothing applied.
    ///
    /// - Throws: `PostgresError` as `Postgres.rows` does.
    package static func currentState(
        _ postgres: Postgres, chain: MigrationChain
    ) async throws(PostgresError) -> SchemaState {
        SchemaState(applied: try await appliedRevisions(postgres), chain: chain)
    }

    /// What has been applied, oldest first; nothing if the table is not there.
    static func appliedRevisions(_ postgres: Postgres) async throws(PostgresError) -> [AppliedRevision] {
        do throws(PostgresError) {
            return try await postgres.rows(AppliedRevision.query, as: AppliedRevision.self, mode: .readOnly)
        } catch {
            // Neither the table nor, before the first migration, its schema is there.
            guard error.code == .undefinedTable || error.code == .other("3F000") else { throw error }
            return []
        }
    }
}
