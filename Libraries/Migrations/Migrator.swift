package import Logging
package import Postgres
internal import Time

/// Applies a chain to a database, with the role that owns it.
///
/// Each revision runs in a transaction of its own together with the row that records it, so that after a kill at any
/// moment either both are there or neither, and the next run goes on from there. The transaction first takes an advisory
/// lock and then looks again at what has been applied: any number of migrators may run at once, and each revision is
/// applied by one of them. A revision of concurrent indexes is recorded in such a transaction too, while another connection
/// builds them one by one; killed in the middle, the next run keeps what is valid and makes the rest.
///
/// Who waits for the lock asks again and again instead of waiting in the server: a statement that waits holds a snapshot,
/// and building an index concurrently waits for every snapshot that is older than it. The two would wait for each other
/// for ever, and the server would not see it.
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
    /// How often a migrator that waits for another asks whether it is its turn.
    private static let lockInterval = Duration.milliseconds(50)

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

    /// Makes sure that what has been applied is what this program has, and that the schema is what it left: no object was
    /// added, changed or dropped by hand. Changes nothing.
    ///
    /// - Throws: `MigrationError`, or `PostgresError` if the database cannot be read. A chain that is only longer than
    ///   what has been applied is no error.
    package func verify() async throws {
        let applied = try await status().applied
        try check(applied)
        guard !applied.isEmpty else { return }
        let drift = try await postgres.transaction(tier: .slow, mode: .readOnly) { transaction in
            try await Catalog.drift(in: transaction)
        }
        guard drift.isEmpty else {
            throw MigrationError(
                .drift(objects: drift),
                "The schema is not what the revisions left; somebody changed it by hand: "
                    + drift.prefix(20).joined(separator: "; ") + (drift.count > 20 ? "; and \(drift.count - 20) more." : ".")
            )
        }
    }

    /// Applies what is missing and returns the ids of what this call applied.
    ///
    /// - Throws: `MigrationError` if the database diverges from the chain or a revision fails; those before it stay
    ///   applied. `PostgresError` if the database cannot be reached.
    @discardableResult
    package func up() async throws -> [String] {
        try await createTables()
        var applied: [String] = []
        for revision in chain.revisions where try await apply(revision) {
            applied.append(revision.id)
        }
        return applied
    }

    /// Takes back what was applied last, and all before it down to a revision that stays, and returns the ids.
    ///
    /// Takes back the last revision alone unless `survivor` is given. What the revisions held is gone with them.
    ///
    /// - Throws: as `up` does; `.notApplied` if there is no such revision; `.noWayDown` at a revision that has none.
    @discardableResult
    package func down(to survivor: String? = nil) async throws -> [String] {
        try await createTables()
        var reverted: [String] = []
        while let id = try await revert(unlessLastIs: survivor) {
            reverted.append(id)
            if survivor == nil { break }
        }
        return reverted
    }

    // MARK: Parts

    /// Lends a transaction that holds the lock of migrators.
    private func withLock<Value>(_ body: nonisolated(nonsending) (Transaction) async throws -> Value) async throws -> Value {
        let clock = ContinuousClock()
        let end = clock.now + timeout.limit
        while clock.now < end {
            let value: Value? = try await postgres.transaction(tier: timeout) { transaction in
                let lock = try await transaction.first(
                    "SELECT pg_try_advisory_xact_lock(\(Self.lockKey))", as: Scalar<Bool>.self)
                guard lock?.value == true else { return nil }
                return try await body(transaction)
            }
            if let value { return value }
            try await Task.sleep(for: Self.lockInterval)
        }
        throw MigrationError(.busy, "Another migrator worked on this database for all the time that this one could wait.")
    }

    /// Made by whichever migrator comes first, under the lock, since `IF NOT EXISTS` alone lets two sessions create the same
    /// thing and one of them fail.
    private func createTables() async throws {
        try await withLock { transaction in
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
                \(Catalog.table)
                """)
        }
    }

    /// `false` if the revision had been applied before.
    private func apply(_ revision: Revision) async throws -> Bool {
        let clock = ContinuousClock()
        return try await withLock { transaction in
            // Read under the lock, so that nobody else is applying anything.
            let applied = try await transaction.rows(AppliedRevision.query, as: AppliedRevision.self)
            try check(applied)
            guard !applied.contains(where: { $0.id == revision.id }) else { return false }

            logger.info("Applying revision", metadata: ["revision": "\(revision.id)", "name": "\(revision.name)"])
            let start = clock.now
            switch revision.execution {
            case .oneTransaction: try await run(revision.sql, of: revision, in: transaction)
            case .concurrentIndexes: try await build(revision, in: transaction)
            }
            try await record(revision, at: applied.count + 1, took: clock.now - start, in: transaction)
            try await Catalog.record(in: transaction)
            logger.notice("Applied revision", metadata: ["revision": "\(revision.id)", "name": "\(revision.name)"])
            return true
        }
    }

    /// Takes back the newest revision unless it is the one that stays; the id of what was taken back.
    private func revert(unlessLastIs survivor: String?) async throws -> String? {
        try await withLock { transaction in
            let applied = try await transaction.rows(AppliedRevision.query, as: AppliedRevision.self)
            try check(applied)
            if let survivor, !applied.contains(where: { $0.id == survivor }) {
                throw MigrationError(
                    .notApplied(revision: survivor), "The database has no revision \(survivor) that could stay.")
            }
            guard let last = applied.last, last.id != survivor,
                  let revision = chain.revisions.first(where: { $0.id == last.id })
            else { return nil }
            guard let down = revision.down else {
                throw MigrationError(
                    .noWayDown(revision: revision.id), "Revision \(revision.id) (\(revision.name)) has no way down.")
            }
            try await run(down, of: revision, in: transaction)
            try await transaction.execute("DELETE FROM heartguard.schema_migrations WHERE id = \(revision.id)")
            try await Catalog.record(in: transaction)
            logger.notice("Took back revision", metadata: ["revision": "\(revision.id)", "name": "\(revision.name)"])
            return revision.id
        }
    }

    private func run(_ sql: String, of revision: Revision, in transaction: Transaction) async throws {
        do throws(PostgresError) {
            // Zero would switch it off.
            let milliseconds = "\(max(1, lockTimeout.millisecondsRoundedUp))"
            try await transaction.execute("SELECT set_config('lock_timeout', \(milliseconds), true)")
            try await transaction.execute(script: sql)
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
    }

    /// Builds the indexes of a revision on another connection, one by one, while `transaction` holds the lock.
    private func build(_ revision: Revision, in transaction: Transaction) async throws {
        for statement in SQLScript(revision.sql).statements {
            guard let index = ConcurrentIndex(statement) else {
                throw MigrationError(
                    .notAnIndex(revision: revision.id),
                    "Revision \(revision.id) (\(revision.name)) builds indexes concurrently and may hold nothing but "
                        + "CREATE INDEX CONCURRENTLY name ON schema.table."
                )
            }
            do throws(PostgresError) {
                let found = try await index.state(in: transaction)
                // The portal of a SELECT keeps its snapshot until another statement takes its place, and the build would wait
                // for that snapshot. SET needs none. What it sets is wanted too: the transaction waits for as long as the
                // build takes, and a cluster may end sessions that do.
                try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                if found == .invalid {
                    logger.notice("Removing an invalid index", metadata: ["index": "\(index.schema).\(index.name)"])
                    try await postgres.executeOutsideTransaction(index.removal, lockTimeout: lockTimeout, tier: timeout)
                }
                guard found != .valid else { continue }
                try await postgres.executeOutsideTransaction(index.statement, lockTimeout: lockTimeout, tier: timeout)
            } catch {
                throw MigrationError(
                    .failed(revision: revision.id),
                    "Revision \(revision.id) (\(revision.name)) could not build the index \(index.schema).\(index.name). The next "
                        + "run goes on with it.", cause: error
                )
            }
            guard try await index.state(in: transaction) == .valid else {
                throw MigrationError(
                    .invalidIndex(revision: revision.id), "The index \(index.schema).\(index.name) was built and is not valid.")
            }
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
