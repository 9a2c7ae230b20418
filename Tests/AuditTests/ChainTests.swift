import FoundationEssentials
import Testing
import Time

@testable import Audit

@Suite struct `A chain of events` {
    private static let base = AuditEvent(
        occurredAt: Instant(microsecondsSinceEpoch: 1_795_900_000_123_456), person: UUID(uuidString: "0190A8B0-0000-7000-8000-00000000000A"),
        actor: UUID(uuidString: "0190A8B0-0000-7000-8000-00000000000B"), actorKind: .operator_, program: "gateway", service: "s", method: "m",
        action: .write, resource: nil, purpose: .operations, status: nil, trace: UUID(uuidString: "00000000-0000-0001-0000-000000000002")!,
        request: "r")
    private static let writer = UUID(uuidString: "0190A8B0-0000-7000-8000-000000000001")!

    private func hash(_ event: AuditEvent, writer: UUID = writer, sequence: Int64 = 0, before: [UInt8] = AuditChain.beginning) -> [UInt8] {
        var chain = AuditChain(writer: writer, sequence: sequence, hash: before)
        chain.append(event)
        return chain.hash
    }

    @Test func `has the hash that the documented bytes have`() {
        // Python's hashlib over the bytes that docs/decisions/audit.md describes.
        #expect(AuditHead(writer: Self.writer, sequence: 1, hash: hash(Self.base)).anchor == "1:68118754889efa7dcaea1dfc3c720eedf581318d3ad77f1b307c41b599bbe1d2")
    }

    @Test func `has another hash for another value of anything`() {
        func changed(_ change: (inout AuditEvent) -> Void) -> AuditEvent {
            var event = Self.base
            change(&event)
            return event
        }
        let base = Self.base
        func again(occurredAt: Instant? = nil, service: String? = nil, method: String? = nil, action: AuditEvent.Action? = nil,
                   trace: UUID? = nil, request: String? = nil) -> AuditEvent {
            AuditEvent(
                occurredAt: occurredAt ?? base.occurredAt, person: base.person, actor: base.actor, actorKind: base.actorKind,
                program: base.program, service: service ?? base.service, method: method ?? base.method, action: action ?? base.action,
                resource: base.resource, purpose: base.purpose, status: base.status, trace: trace ?? base.trace,
                request: request ?? base.request)
        }
        let events = [
            base, changed { $0.person = nil }, changed { $0.actor = base.person }, changed { $0.actorKind = .user },
            changed { $0.program = nil }, changed { $0.program = "" }, changed { $0.resource = base.person },
            changed { $0.purpose = .treatment }, changed { $0.status = 0 }, again(occurredAt: base.occurredAt + .microseconds(1)),
            again(service: "sm", method: ""), again(method: "n"), again(action: .read), again(trace: UUID()), again(request: ""),
        ]
        let hashes = events.map { hash($0) } + [
            hash(base, writer: UUID()), hash(base, sequence: 1), hash(base, before: [UInt8](repeating: 1, count: 32)),
        ]

        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `is anchored by a text that is read again`() throws {
        let head = AuditHead(writer: Self.writer, sequence: 70_000, hash: hash(Self.base))

        #expect(AuditHead(line: head.line[...]) == head)
        for wrong in ["", "x", "\(Self.writer) 1", "\(Self.writer) 0:" + String(repeating: "a", count: 64), "\(head.line)0", "\(head.line) more"] {
            #expect(AuditHead(line: wrong[...]) == nil, "\(wrong)")
        }
    }
}
