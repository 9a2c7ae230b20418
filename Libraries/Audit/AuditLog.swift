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
    /// - Parameter progress: told how many events were checked, every 100,000.
    package func verify(
        anchors: [AuditHead], since: Instant?, progress: (Int) -> Void = { _ in }
    ) async throws -> AuditVerification {
        var verification = AuditVerification(anchors: anchors, beginsAnywhere: since != nil)
        let identity = Self.reading + (since.map { [("heartguard.audit_since", $0.rfc3339)] } ?? [])
        let columns = since == nil ? Self.everything : Self.recent
        verification = try await postgres.copy(
            from: columns, as: RecordedEvent.self, identity: Identity(identity), tier: TimeoutTier(limit: .seconds(86_400))
        ) { [verification] events in
            var verification = verification
            for try await event in events {
                verification.take(event)
                if verification.events.isMultiple(of: 100_000) { progress(verification.events) }
            }
            return verification
        }
        for anchor in verification.finish() {
            let found = try await postgres.first(.recordedHash(anchor), identity: Identity(Self.reading))
            verification.note(anchor, found: found?.value)
        }
        return verification
    }

    /// What lets the owner see rows that are other people's.
    private static let reading = [("heartguard.task", "audit")]

    private static let everything: StaticString = """
        SELECT writer, sequence, previous_hash, hash, occurred_at, user_id, actor_id, actor_kind, program, service, method, action, resource_id,
               purpose, status, trace_id, request_id
        FROM heartguard.audit_log ORDER BY writer, sequence
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
    package static func recordedHash(_ head: AuditHead) -> Self {
        .reading("SELECT hash FROM heartguard.audit_log WHERE writer = \(head.writer) AND sequence = \(head.sequence)")
    }
}
