package import Logging
package import Postgres

/// Applies a chain to a database, with the role that owns it.
///
/// Each revision runs in a transaction of its own together with the row that records it, so that after a kill at any
/// moment either both are there or neither, and the next run goes on from there. The transaction first takes an advisory
/// lock and then looks again at what has been applied: any number of migrators may run at once, and each revision is
/// applied by one of them.
package struct Migrator: Sendable {
    /// "heartgua" in ASCII: a number that no other user of advisory locks in this database has.
    private static let lockKey: Int64 = 0x6865_6172_7467_7561

    private let postgres: Postgres
    private let chain: MigrationChain
    private let logger: Logger
    /// How long a revision may wait for a table that others use, before it gives up rather than make everybody queue
    /// behind it.
    private let lockTimeout: Duration
    private let timeout: TimeoutTier

    /// - Parameters:
    ///   - postgres: a client, running, whose role owns the database.
    ///   - revisionTimeout: how long one revision may take, and the wait for another migrator with it.
    package init(
        _ postgres: Postgres, chain: MigrationChain, logger: Logger, lockTimeout: Duration = .seconds(10),
        revisionTimeout: Duration = .seconds(3_600)
    ) {
        self.postgres = postgres
        self.chain = chain
        self.logger = logger
        self.lockTimeout = lockTimeout
        timeout = TimeoutTier(limit: revisionTimeout)
    }

    /// What has been applied, oldest first, and how it stands to the chain.
    package func status() async throws(PostgresError) -> (applied: [AppliedRevision], state: SchemaState) {
        let applied = try await Migrations.appliedRevisions(postgres)
        return (applied, SchemaState(applied: applied, chain: chain))
    }

    /// Makes sure that what has been applied is what this program has, without changing anything.
    ///
    /// - Throws: `MigrationError`, or `PostgresError` if the database cannot be read. A chain that is only longer than
    ///   what has been applied is no error.
    package func verify() async throws {
        try check(try await status().applied)
    }

    /// Applies what is missing and returns the ids of what this call applied.
    ///
    /// - Throws: `MigrationError` if the database diverges from the chain or a revision fails; those before it stay
    ///   applied. `PostgresError` if the database cannot be reached.
    @discardableResult
    package func up() async throws -> [String] {
        try await createTable()
        var applied: [String] = []
        for revision in chain.revisions where try await apply(revision) {
            applied.append(revision.id)
        }
        return applied
    }

    // MARK: Parts

    /// Made by whichever migrator comes first; the lock makes the others wait, since `IF NOT EXISTS` alone lets two
    /// sessions create the same thing and one of them fail.
    private func createTable() async throws {
        try await postgres.transaction(tier: timeout) { transaction in
            try await transaction.execute("SELECT pg_advisory_xact_lock(\(Self.lockKey))")
            let table = try await transaction.first(
                "SELECT to_regclass('heartguard.schema_migrations') IS NOT NULL", as: Scalar<Bool>.self
            )
            guard table?.value != true else { return }
            // Asked apart, because `IF NOT EXISTS` demands the right to create schemas even where there is nothing to do.
            let schema = try await transaction.first(
                "SELECT to_regnamespace('heartguard') IS NOT NULL", as: Scalar<Bool>.self
            )
            if schema?.value != true { try await transaction.execute("CREATE SCHEMA heartguard") }
            try await transaction.execute(script: """
                CREATE TABLE heartguard.schema_migrations (
                    id           text        PRIMARY KEY,
                    position     integer     NOT NULL UNIQUE,
                    name         text        NOT NULL,
                    checksum     text        NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
                    applied_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
                    execution_ms bigint      NOT NULL
                );
                COMMENT ON TABLE heartguard.schema_migrations IS 'Which revisions of the chain this database has.';
                GRANT USAGE ON SCHEMA heartguard TO PUBLIC;
                GRANT SELECT ON heartguard.schema_migrations TO PUBLIC;
                """)
        }
    }

    /// `false` if the revision had been applied before.
    private func apply(_ revision: Revision) async throws -> Bool {
        let clock = ContinuousClock()
        return try await postgres.transaction(tier: timeout) { transaction in
            try await transaction.execute("SELECT pg_advisory_xact_lock(\(Self.lockKey))")
            // Read under the lock, so that nobody else is applying anything.
            let applied = try await transaction.rows(AppliedRevision.query, as: AppliedRevision.self)
            try check(applied)
            guard !applied.contains(where: { $0.id == revision.id }) else { return false }

            logger.info("Applying revision", metadata: ["revision": "\(revision.id)", "name": "\(revision.name)"])
            let start = clock.now
            do throws(PostgresError) {
                let milliseconds = "\(lockTimeout.components.seconds * 1_000)"
                try await transaction.execute("SELECT set_config('lock_timeout', \(milliseconds), true)")
                try await transaction.execute(script: revision.sql)
            } catch where error.code == .other("2D000") {
                throw MigrationError(
                    .endedItsTransaction(revision: revision.id),
                    "Revision \(revision.id) (\(revision.name)) contains a COMMIT or ROLLBACK, so its parts are not "
                        + "atomic and it was not recorded. What it committed has to be undone by hand."
                )
            } catch {
                throw MigrationError(
                    .failed(revision: revision.id),
                    "Revision \(revision.id) (\(revision.name)) failed and was rolled back.", cause: error
                )
            }
            try await record(revision, at: applied.count + 1, took: clock.now - start, in: transaction)
            logger.notice("Applied revision", metadata: ["revision": "\(revision.id)", "name": "\(revision.name)"])
            return true
        }
    }

    private func record(
        _ revision: Revision, at position: Int, took duration: Duration, in transaction: Transaction
    ) async throws {
        let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
        // A revision may have changed the search path, so the table is named in full; it may also have changed the role.
        try await transaction.execute("""
            INSERT INTO heartguard.schema_migrations (id, position, name, checksum, execution_ms)
            VALUES (\(revision.id), \(Int32(position)), \(revision.name), \(revision.checksum), \(milliseconds))
            """)
    }

    private func check(_ applied: [AppliedRevision]) throws(MigrationError) {
        for (index, row) in applied.enumerated() {
            guard let known = chain.revisions.firstIndex(where: { $0.id == row.id }) else {
                throw MigrationError(
                    .unknownRevision(row.id),
                    "The database has revision \(row.id) (\(row.name)), which this program does not know. "
                        + "It was built from an older chain; use a newer build."
                )
            }
            guard chain.revisions[known].checksum == row.checksum else {
                throw MigrationError(
                    .checksumMismatch(revision: row.id),
                    "Revision \(row.id) (\(row.name)) is not the text that was applied: the database recorded "
                        + "\(row.checksum.prefix(12))…, the file has \(chain.revisions[known].checksum.prefix(12))…. "
                        + "A revision is never edited once applied; put its text back and add a new revision."
                )
            }
            guard known == index else {
                throw MigrationError(
                    .orderMismatch(revision: row.id),
                    "Revision \(row.id) (\(row.name)) was applied as number \(index + 1) but is number \(known + 1) of "
                        + "the chain. New revisions belong at the end."
                )
            }
        }
    }
}
