internal import Application
internal import Audit
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension UsersV1.AccessEvent {
    init(_ event: AuditEvent) {
        self.init(
            occurredAt: .init(event.occurredAt), actorKind: .init(event.actorKind), actorId: event.actor?.text ?? "",
            program: event.program ?? "", service: event.service, method: event.method, description_p: event.inWords,
            action: .init(event.action), purpose: event.purpose.rawValue, outcome: .init(event.code), status: event.code?.name ?? "",
            resourceId: event.resource?.text ?? "", traceId: event.trace.digits)
    }
}

extension AuditEvent {
    fileprivate var code: StatusCode? { status.map { StatusCode(rawValue: Int($0)) ?? .unknown } }

    /// For example "vitals: list observations", of heartguard.vitals.v1.VitalsService and ListObservations.
    var inWords: String {
        let area = service.split(separator: ".").dropFirst().first ?? ""
        var words = ""
        for letter in method {
            if letter.isUppercase, !words.isEmpty { words += " " }
            words += letter.lowercased()
        }
        return "\(area): \(words)"
    }
}

extension UsersV1.ActorKind {
    fileprivate init(_ kind: AuditEvent.ActorKind) {
        switch kind {
        case .clinician: self = .clinician
        case .user: self = .user
        case .operator_: self = .operator
        case .service: self = .service
        case .anyone: self = .anyone
        }
    }
}

extension UsersV1.AccessAction {
    fileprivate init(_ action: AuditEvent.Action) {
        switch action {
        case .read: self = .read
        case .write: self = .write
        case .security: self = .security
        }
    }
}

extension AuditEvent.Action {
    init(_ action: UsersV1.AccessAction) throws(InvalidValue) {
        switch action {
        case .read: self = .read
        case .write: self = .write
        case .security: self = .security
        default: throw InvalidValue("is not an action that is known")
        }
    }
}

extension UsersV1.AccessOutcome {
    fileprivate init(_ code: StatusCode?) {
        switch code {
        case nil: self = .begun
        case .ok: self = .succeeded
        case .unauthenticated, .permissionDenied: self = .denied
        default: self = .failed
        }
    }
}
