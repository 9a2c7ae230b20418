internal import FoundationEssentials
package import Postgres
package import Time

/// The log as whoever checks it reads it: as the owner of the tables, whose every event it sees.
package struct AuditLog: Sendable {
    private let postgres: Postgres

    package init(_ postgres: Postgres) { self.postgres = postgres }

    /// Checks every chain, or of each the events from the first one on that is no older than `since`. Reads the log as a stream; memory grows
    /// with the number of anchors and of what is wrong, not with the log.
    ///
    /// - Parameters:
    ///   - archived: what the archives hold: chains are checked from their first event on. Without them each is checked from its base on.
    ///   - progress: told how many events were checked, every 100,000 or more.
    ///   - visit: given each event through which its chain holds.
    package func verify(
        anchors: [AuditHead], since: Instant?, archived: ArchivedEvents? = nil, progress: (Int) -> Void = { _ in },
        visit: (RecordedEvent) throws -> Void = { _ in }
    ) async throws -> AuditVerification {
        var verification = AuditVerification(anchors: anchors, beginsAnywhere: since != nil, beginsAtBases: archived == nil)
        let identity = Self.reading + (since.map { [("heartguard.audit_since", $0.rfc3339)] } ?? [])
        let columns = since == nil ? Self.everything : Self.recent
        verification = try await postgres.copy(
            from: columns, as: AuditLogRow.self, identity: Identity(identity), tier: TimeoutTier(limit: .seconds(86_400))
        ) { [verification] rows in
            var verification = verification
            var told = 0
            for try await row in rows {
                while let event = try archived?.next(through: row.key) { verification.take(event, isArchived: true) }
                switch row {
                case .base(let head): verification.take(base: head)
                case .event(let event): if verification.take(event) { try visit(event) }
                }
                if verification.events >= told + 100_000 {
                    told = verification.events
                    progress(told)
                }
            }
            while let event = try archived?.next(through: nil) { verification.take(event, isArchived: true) }
            return verification
        }
        for anchor in verification.finish() {
            let found = try await postgres.first(.recordedHash(anchor), identity: Identity(Self.reading))
            verification.note(anchor, found: found?.value)
        }
        return verification
    }

    /// Events that are older than this may leave the log.
    package func archivableBefore() async throws(PostgresError) -> Instant? { try await postgres.first(.archivableBefore)?.value }

    /// Takes out of the log what an archive holds: of each of these chains all through this end, which is its base then. All or none; what was
    /// taken out before changes nothing. How many events it were.
    ///
    /// - Throws: `.other("23000")` where the log has other events, or some are too young.
    package func remove(_ archive: AuditArchive, through ends: [AuditHead]) async throws(PostgresError) -> Int {
        Int(try await postgres.first(.remove(archive, through: ends))?.value ?? 0)
    }

    /// What lets the owner see rows that are other people's.
    private static let reading = [("heartguard.task", "audit")]

    private static let everything: StaticString = """
        SELECT writer, sequence, previous_hash, hash, occurred_at, user_id, actor_id, actor_kind, program, service, method, action, resource_id,
               purpose, status, trace_id, request_id
        FROM heartguard.audit_log
        UNION ALL
        SELECT writer, sequence, NULL, hash, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM heartguard.audit_bases
        ORDER BY writer, sequence
        """

    /// Moments within a chain need not be in its order, so it is the chain that is cut, at the first event that is new enough.
    private static let recent: StaticString = """
        SELECT e.writer, e.sequence, previous_hash, hash, occurred_at, user_id, actor_id, actor_kind, program, service, method, action,
               resource_id, purpose, status, trace_id, request_id
        FROM heartguard.audit_log e JOIN (
            SELECT writer, min(sequence) AS sequence FROM heartguard.audit_log
            WHERE occurred_at >= current_setting('heartguard.audit_since')::timestamptz GROUP BY writer
        ) AS first ON e.writer = first.writer AND e.sequence >= first.sequence
        ORDER BY e.writer, e.sequence
        """
}

extension Statement<Scalar<[UInt8]>> {
    /// Of an event in the log, or of one that a base stands for. Of what was archived before its base, which the log knows nothing of any more, it
    /// is what it should be.
    package static func recordedHash(_ head: AuditHead) -> Self {
        .reading(
            """
            SELECT hash FROM heartguard.audit_log WHERE writer = \(head.writer) AND sequence = \(head.sequence)
            UNION ALL
            SELECT CASE sequence WHEN \(head.sequence) THEN hash ELSE \(head.hash) END FROM heartguard.audit_bases
            WHERE writer = \(head.writer) AND sequence >= \(head.sequence)
            LIMIT 1
            """)
    }
}

extension Statement<Scalar<Instant>> {
    package static var archivableBefore: Self { .reading("SELECT clock_timestamp() - minimum FROM heartguard.audit_retention") }
}

extension Statement<Scalar<Int64>> {
    package static func remove(_ archive: AuditArchive, through ends: [AuditHead]) -> Self {
        .writing(
            """
            SELECT heartguard.remove_archived_accesses(
                \(archive.sha256), \(archive.before), \(archive.events), \(archive.chains), \(ends.map(\.writer)), \(ends.map(\.sequence)),
                \(ends.map(\.hash)))
            """, tier: .batch)
    }
}
