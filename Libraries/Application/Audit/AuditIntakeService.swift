package import Audit
package import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// Answers `heartguard.audit.v1.AuditIntakeService`: puts on record what another program answered.
struct AuditIntakeService: AuditV1.AuditIntakeServiceProtocol {
    let recorder: AuditRecorder

    func recordAccess(_ request: AuditV1.RecordAccessRequest, context: RPCContext) async throws -> AuditV1.RecordAccessResponse {
        try await recorder.record(try AuditEvent(request))
        return .init()
    }
}

extension AuditEvent {
    /// Throws INVALID_ARGUMENT that names every field that cannot be used.
    init(_ request: AuditV1.RecordAccessRequest) throws(RPCError) {
        var violations = FieldViolations()
        let occurredAt = violations.value("occurred_at", request.occurredAt) { given throws(InvalidValue) in
            guard let given, let instant = Instant(given) else { throw InvalidValue("is not a moment") }
            return instant
        }
        let person = violations.optional("user_id", request.userId, UUID.init(parsing:))
        let actor = violations.optional("actor_id", request.actorId, UUID.init(parsing:))
        let kind = violations.value("actor_kind", request.actorKind, Self.term(ActorKind.self))
        let action = violations.value("action", request.action, Self.term(Action.self))
        let resource = violations.optional("resource_id", request.resourceId, UUID.init(parsing:))
        let purpose = violations.value("purpose", request.purpose, Self.term(PurposeOfUse.self))
        let trace = violations.value("trace_id", request.traceId) { digits throws(InvalidValue) in
            guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16)
            else { throw InvalidValue("is not 32 hexadecimal digits") }
            return UUID(high: high, low: low)
        }
        let status = violations.optional("status", request.status) { status throws(InvalidValue) in
            guard (0...16).contains(status) else { throw InvalidValue("must be 0 to 16") }
            return Int16(status)
        }
        for (field, text) in [("service", request.service), ("method", request.method), ("program", request.program ?? "gateway")] {
            violations.check(Self.isName(text, 1...200), field, "Must have 1 to 200 plain characters.")
        }
        violations.check(Self.isName(request.requestId, 0...128), "request_id", "Must have up to 128 plain characters.")
        let parts = try violations.complete(occurredAt, kind, action, purpose, trace)
        self.init(
            occurredAt: parts.0, person: person, actor: actor, actorKind: parts.1, program: request.program, service: request.service,
            method: request.method, action: parts.2, resource: resource, purpose: parts.3, status: status, trace: parts.4,
            request: request.requestId)
    }

    private static func isName(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count) && text.isPrintableASCII
    }

    private static func term<Term: RawRepresentable<String>>(_ type: Term.Type) -> (String) throws(InvalidValue) -> Term {
        { text throws(InvalidValue) in
            guard let term = Term(rawValue: text) else { throw InvalidValue("is none of its terms") }
            return term
        }
    }
}

extension AuditV1.RecordAccessRequest {
    package init(_ event: AuditEvent) {
        self.init(
            occurredAt: .init(event.occurredAt), userId: event.person?.uuidString, actorId: event.actor?.uuidString,
            actorKind: event.actorKind.rawValue, program: event.program, service: event.service, method: event.method,
            action: event.action.rawValue, resourceId: event.resource?.uuidString, purpose: event.purpose.rawValue,
            status: event.status.map(Int32.init), traceId: event.trace.digits, requestId: event.request)
    }
}
