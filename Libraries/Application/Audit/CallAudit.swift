internal import Audit
internal import Contracts
package import FoundationEssentials
package import RPC
internal import Synchronization

/// Puts on record each call of a method whose policy has an audit class, once, and lets no call go unrecorded: where the event cannot be
/// written the call ends in UNAVAILABLE.
///
/// What changes something is on record before its handler begins, and so is what is answered message by message; what reads, before its answer
/// leaves, with how it ended. Signing in is on record before its answer leaves too: until then nobody knows whose account it is, and a session whose
/// token was never answered is of no use to anybody. Where an operator names an account otherwise than by its id, the handler finds out whose it is, and
/// has that on record before it changes anything.
package struct CallAudit: ServerInterceptor {
    private let outlet: AuditOutlet
    private let isAnsweredHere: @Sendable (MethodDescriptor) -> Bool
    let denials = Denials()

    /// - Parameter isAnsweredHere: false for methods whose calls are passed on to a program that puts them on record itself.
    package init(_ outlet: AuditOutlet, isAnsweredHere: @escaping @Sendable (MethodDescriptor) -> Bool = { _ in true }) {
        self.outlet = outlet
        self.isAnsweredHere = isAnsweredHere
    }

    package func intercept(_ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void) async throws {
        let method = context.method
        guard let action = AuditEvent.Action(method.policy.audit), isAnsweredHere(method) else { return try await next(context) }
        var event = try await AuditEvent(action, of: context)
        do throws(RPCError) {
            event.purpose = try context.purposeOfUse()
        } catch {
            try await record(&event, endedBy: error)
            throw error
        }
        if method.isRecordedFirst {
            if event.person == nil, method.mayNameItsPerson { return try await recordOnceKnown(event, context, next) }
            try await outlet.record(event)
            return try await next(context)
        }
        let subject = method.policy.access == .anyone ? AuditSubject() : nil
        var context = context
        if let subject { context[AuditSubject.self] = subject }
        do {
            try await next(context)
        } catch {
            let answer = RPCError.answering(error)
            event.person = subject?.person ?? event.person
            try await record(&event, endedBy: answer)
            throw answer
        }
        event.person = subject?.person ?? event.person
        try await record(&event, endedBy: nil)
    }

    /// A handler that ends without saying whose account it was has changed nothing; how it ended is on record then.
    private func recordOnceKnown(
        _ event: AuditEvent, _ context: RPCContext, _ next: @Sendable (RPCContext) async throws -> Void
    ) async throws {
        let waiting = WaitingEvent(event, for: outlet)
        var context = context
        context[WaitingEvent.self] = waiting
        do {
            try await next(context)
        } catch {
            let answer = RPCError.answering(error)
            if var event = waiting.take() { try await record(&event, endedBy: answer) }
            throw answer
        }
        if var event = waiting.take() { try await record(&event, endedBy: nil) }
    }

    /// Puts on record that a caller who is known was not let, unless that is on record of the last minute (`DenialAllowance`).
    ///
    /// Throws RESOURCE_EXHAUSTED to whoever is denied too many different things.
    func denied(_ context: RPCContext, _ error: RPCError) async throws(RPCError) {
        guard let action = AuditEvent.Action(context.method.policy.audit) else { return }
        var event = try await AuditEvent(action, of: context)
        event.purpose = (try? context.purposeOfUse()) ?? event.purpose  // what it is denied for matters no more
        let denial = DenialAllowance.Denial(
            caller: context[CallerIdentity.self]?.sessionID.uuidString ?? event.program ?? "", method: context.method.path, person: event.person,
            code: error.code)
        switch denials.state.withLock({ $0.ask(denial, at: .now) }) {
        case .leaveOut: return
        case .turnAway(let delay): throw .quota("user", "Too many calls were denied. Try again later.", retryAfter: delay)
        case .record: break
        }
        do throws(RPCError) {
            try await record(&event, endedBy: error)
        } catch {
            denials.state.withLock { $0.forget(denial) }
            throw error
        }
    }

    /// The denials of the running minute, which all copies of an audit have in common.
    final class Denials: Sendable {
        let state = Mutex(DenialAllowance())
    }

    private func record(_ event: inout AuditEvent, endedBy error: RPCError?) async throws(RPCError) {
        event.status = Int16((error?.code ?? .ok).rawValue)
        try await outlet.record(event)
    }
}

extension MethodDescriptor {
    fileprivate var isRecordedFirst: Bool {
        if !kind.hasSingleResponse { return true }
        return policy.audit != .read && policy.access != .anyone
    }

    /// Whether its request has a field for whose record it is, which may be empty.
    fileprivate var mayNameItsPerson: Bool { kind.hasSingleResponse && NamedFields.byPath[path]?.person != nil }
}

/// Whose account a call was about that nobody has to be signed in for; its handler says so.
final class AuditSubject: RPCContextKey, Sendable {
    typealias Value = AuditSubject

    private let known = Mutex<UUID?>(nil)

    var person: UUID? { known.withLock { $0 } }
    func set(_ person: UUID) { known.withLock { $0 = person } }
}

/// The event of a call that changes an account which its request does not name by its id.
final class WaitingEvent: RPCContextKey, Sendable {
    typealias Value = WaitingEvent

    private let outlet: AuditOutlet
    private let event: Mutex<AuditEvent?>

    init(_ event: AuditEvent, for outlet: AuditOutlet) {
        self.outlet = outlet
        self.event = Mutex(event)
    }

    /// Once: whoever takes it puts it on record.
    func take() -> AuditEvent? {
        event.withLock { event in
            let taken = event
            event = nil
            return taken
        }
    }

    func record(about person: UUID) async throws(RPCError) {
        guard var event = take() else { return }
        event.person = person
        try await outlet.record(event)
    }
}

extension RPCContext {
    /// Has it on record whose account a call is about whose request may not have named it by its id. To be called before anything is changed.
    package func willChange(_ person: UUID) async throws(RPCError) { try await self[WaitingEvent.self]?.record(about: person) }

    /// Says whose account a call is about that nobody has to be signed in for, so that it is among what the person can read of it.
    package func concerns(_ person: UUID) { self[AuditSubject.self]?.set(person) }
}
