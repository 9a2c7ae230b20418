internal import Crypto
package import FoundationEssentials
internal import Time

/// The end of one writer's chain of events. Each event's hash is of the hash before it and of all that the event says, so that none can be
/// changed, moved or taken out without every later one ceasing to fit.
///
/// A chain has one writer for its whole life, a process, so it cannot fork, and writers need not wait for each other.
package struct AuditChain: Hashable, Sendable {
    package let writer: UUID
    /// The number of the last event; 0 before the first.
    package private(set) var sequence: Int64 = 0
    package private(set) var hash = AuditChain.beginning
    private var buffer: [UInt8] = []

    /// What stands in the place of a hash before a chain's first event.
    package static let beginning = [UInt8](repeating: 0, count: 32)

    package init(writer: UUID = UUIDv7.make()) { self.writer = writer }

    /// A chain that goes on behind an event that is known.
    package init(writer: UUID, sequence: Int64, hash: [UInt8]) {
        self.writer = writer
        self.sequence = sequence
        self.hash = hash
    }

    package var head: AuditHead { AuditHead(writer: writer, sequence: sequence, hash: hash) }

    /// Adds an event at the end; its hash is `hash` then. Costs one SHA-256 over about 250 bytes.
    package mutating func append(_ event: AuditEvent) {
        sequence += 1
        buffer.removeAll(keepingCapacity: true)
        buffer += hash
        event.write(to: &buffer, by: writer, sequence)
        hash = Array(SHA256.hash(data: buffer))
    }

    package static func == (a: AuditChain, b: AuditChain) -> Bool { a.head == b.head }
    package func hash(into hasher: inout Hasher) { hasher.combine(head) }
}

/// Where a chain ended at some moment.
package struct AuditHead: Hashable, Sendable {
    package let writer: UUID
    package let sequence: Int64
    package let hash: [UInt8]

    package init(writer: UUID, sequence: Int64, hash: [UInt8]) {
        self.writer = writer
        self.sequence = sequence
        self.hash = hash
    }
}

extension AuditEvent {
    /// Appends what is hashed of an event: a version, then each value behind its length, which is all ones for one that is absent. No two
    /// events have the same bytes. The order and the forms never change; a new form would be a new version.
    fileprivate func write(to bytes: inout [UInt8], by writer: UUID, _ sequence: Int64) {
        bytes.append(1)
        bytes.add(writer)
        bytes.add(sequence)
        bytes.add(occurredAt.microsecondsSinceEpoch)
        bytes.add(person)
        bytes.add(actor)
        bytes.add(actorKind.rawValue)
        bytes.add(program)
        bytes.add(service)
        bytes.add(method)
        bytes.add(action.rawValue)
        bytes.add(resource)
        bytes.add(purpose.rawValue)
        bytes.add(status.map(Int64.init))
        bytes.add(trace)
        bytes.add(request)
    }
}

extension [UInt8] {
    private mutating func addLength(_ count: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    fileprivate mutating func add(_ id: UUID?) {
        guard let id = id?.uuid else { return addLength(.max) }
        addLength(16)
        append(contentsOf: [
            id.0, id.1, id.2, id.3, id.4, id.5, id.6, id.7, id.8, id.9, id.10, id.11, id.12, id.13, id.14, id.15,
        ])
    }

    fileprivate mutating func add(_ number: Int64?) {
        guard let number else { return addLength(.max) }
        addLength(8)
        for shift in stride(from: Int64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    fileprivate mutating func add(_ text: String?) {
        guard let text else { return addLength(.max) }
        addLength(UInt32(clamping: text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
