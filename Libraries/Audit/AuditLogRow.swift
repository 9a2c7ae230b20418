internal import FoundationEssentials
internal import Postgres

/// A row of the log as it is checked, in the order of its key.
enum AuditLogRow: Sendable {
    case event(RecordedEvent)
    /// The event that the chain's first in the log stands behind: it is in an archive, with all before it.
    case base(AuditHead)

    var key: AuditKey {
        switch self {
        case .event(let event): event.key
        case .base(let head): AuditKey(writer: head.writer, sequence: head.sequence)
        }
    }
}

extension AuditLogRow: RowDecodable {
    /// Of `RecordedEvent.columns`. A base has no hash before it.
    init(row: Row) throws(PostgresError) {
        let previous = try row.decode(at: 2, as: [UInt8]?.self)
        if previous == nil {
            self = .base(AuditHead(writer: try row.decode(at: 0), sequence: try row.decode(at: 1), hash: try row.decode(at: 3)))
        } else {
            self = .event(try RecordedEvent(row: row))
        }
    }
}

/// Where an event stands in the log.
struct AuditKey: Comparable, Sendable {
    let writer: UUID
    let sequence: Int64

    static func < (a: AuditKey, b: AuditKey) -> Bool { a.writer == b.writer ? a.sequence < b.sequence : a.writer < b.writer }
}

extension RecordedEvent {
    var key: AuditKey { AuditKey(writer: writer, sequence: sequence) }
}
