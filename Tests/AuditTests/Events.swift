import FoundationEssentials
import Time

@testable import Audit

extension AuditEvent {
    /// A call like most.
    static func sample(of person: UUID? = UUID(), _ number: Int = 0) -> AuditEvent {
        AuditEvent(
            occurredAt: Instant(microsecondsSinceEpoch: 1_795_900_000_000_000 + Int64(number)), person: person, actor: person,
            actorKind: .user, program: "gateway", service: "heartguard.vitals.v1.VitalsService", method: "ListObservations", action: .read,
            resource: number.isMultiple(of: 2) ? nil : UUID(), purpose: .patientRequest, status: 0, trace: UUID(), request: "r\(number)")
    }
}

/// A chain of events as they stand in the log.
func recorded(_ count: Int) -> [RecordedEvent] {
    var chain = AuditChain()
    return (0..<count).map { number in
        let (before, event) = (chain.hash, AuditEvent.sample(number))
        chain.append(event)
        return RecordedEvent(writer: chain.writer, sequence: chain.sequence, event: event, previousHash: before, hash: chain.hash)
    }
}

extension RecordedEvent {
    var head: AuditHead { AuditHead(writer: writer, sequence: sequence, hash: hash) }

    /// The same but for one value that was changed in it.
    var edited: RecordedEvent {
        var event = event
        event.status = 7
        return RecordedEvent(writer: writer, sequence: sequence, event: event, previousHash: previousHash, hash: hash)
    }
}
