internal import FoundationEssentials
package import Postgres
internal import Time

/// Events that go on record together, column by column, behind the end of a chain.
package struct AuditBatch: Sendable {
    let start: AuditHead
    let events: [AuditEvent]
    private(set) var hashes: [[UInt8]] = []
    /// The chain once they are there.
    package private(set) var end: AuditChain

    package init(_ events: [AuditEvent], behind chain: AuditChain) {
        start = chain.head
        self.events = events
        end = chain
        hashes.reserveCapacity(events.count)
        for event in events {
            end.append(event)
            hashes.append(end.hash)
        }
    }
}

extension Statement<Void> {
    /// Adds events at the end of their chain, all or none. What is there already in the same form is left, so it may be sent again; where
    /// the chain ends otherwise than it should the server refuses it.
    package static func record(_ batch: AuditBatch) -> Self {
        let events = batch.events
        return .writing(
            """
            SELECT heartguard.record_access(
                \(batch.start.writer), \(batch.start.sequence), \(batch.start.hash), \(events.map(\.occurredAt)), \(events.map(\.person)),
                \(events.map(\.actor)), \(events.map(\.actorKind)), \(events.map(\.program)), \(events.map(\.service)),
                \(events.map(\.method)), \(events.map(\.action)), \(events.map(\.resource)), \(events.map(\.purpose)),
                \(events.map(\.status)), \(events.map(\.trace)), \(events.map(\.request)), \(batch.hashes))
            """)
    }
}
