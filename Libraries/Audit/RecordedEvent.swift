package import FoundationEssentials
package import Postgres

/// An event as it stands in the log.
package struct RecordedEvent: Hashable, Sendable {
    package let writer: UUID
    package let sequence: Int64
    package let event: AuditEvent
    package let previousHash: [UInt8]
    package let hash: [UInt8]

    package init(writer: UUID, sequence: Int64, event: AuditEvent, previousHash: [UInt8], hash: [UInt8]) {
        self.writer = writer
        self.sequence = sequence
        self.event = event
        self.previousHash = previousHash
        self.hash = hash
    }
}

extension RecordedEvent: RowDecodable {
    /// The columns that the initialiser reads, in their order: the log is read by the million.
    package static let columns: Query = """
        writer, sequence, previous_hash, hash, occurred_at, user_id, actor_id, actor_kind, program, service, method, action, resource_id,
        purpose, status, trace_id, request_id
        """

    package init(row: Row) throws(PostgresError) {
        writer = try row.decode(at: 0)
        sequence = try row.decode(at: 1)
        previousHash = try row.decode(at: 2)
        hash = try row.decode(at: 3)
        event = AuditEvent(
            occurredAt: try row.decode(at: 4), person: try row.decode(at: 5), actor: try row.decode(at: 6), actorKind: try row.decode(at: 7),
            program: try row.decode(at: 8), service: try row.decode(at: 9), method: try row.decode(at: 10), action: try row.decode(at: 11),
            resource: try row.decode(at: 12), purpose: try row.decode(at: 13), status: try row.decode(at: 14), trace: try row.decode(at: 15),
            request: try row.decode(at: 16))
    }
}
