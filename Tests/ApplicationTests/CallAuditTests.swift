import FoundationEssentials
import Postgres
import Synchronization
import Testing
import Time
import Tokens

@testable import Application
@testable import Audit
@testable import Contracts
@testable import RPC

/// What was recorded, and in which order with what else happened.
private final class Diary: Sendable {
    enum Entry: Equatable { case event(Int16?), handler }

    private let state = Mutex<(events: [AuditEvent], entries: [Entry])>(([], []))

    var events: [AuditEvent] { state.withLock { $0.events } }
    var entries: [Entry] { state.withLock { $0.entries } }

    func handle() { state.withLock { $0.entries.append(.handler) } }

    func audit(fails: Bool = false) -> CallAudit { CallAudit(fails ? AuditOutlet { _ throws(RPCError) in throw AuditError(.full).rpcError } : outlet) }

    var outlet: AuditOutlet {
        AuditOutlet { event async throws(RPCError) in
            self.state.withLock { state in
                state.events.append(event)
                state.entries.append(.event(event.status))
            }
        }
    }
}

@Suite struct `The audit of calls` {
    private static let ada = UUID()
    private static let eve = UUID()

    private func context(
        _ audit: MethodPolicy.AuditClass, _ access: MethodPolicy.Access = .user, kind: CallKind = .unary, metadata: Metadata = [:],
        role: AccessClaims.Role = .user
    ) -> RPCContext {
        let method = MethodDescriptor(
            service: "heartguard.tests.v1.TestsService", name: "Count", kind: kind, policy: MethodPolicy(access: access, audit: audit))
        return signedIn(RPCContext(method: method, metadata: metadata, requestID: "r1"), role)
    }

    private func signedIn(_ context: RPCContext, _ role: AccessClaims.Role = .user) -> RPCContext {
        var context = context
        guard context.method.policy.access == .user || context.method.policy.access == .operator_ else { return context }
        context[CallerIdentity.self] = CallerIdentity(
            AccessClaims(subject: Self.ada, role: role, expiresAt: .now() + .seconds(60), sessionID: UUID()))
        return context
    }

    @Test func `holds nothing more after many calls than after a few`() async throws {
        let outlet = AuditOutlet { _ throws(RPCError) in }
        let event = try await AuditEvent(.read, of: context(.read))
        for _ in 0..<1_000 { try await outlet.record(event) }

        let before = try residentBytes()
        for _ in 0..<20_000 { try await outlet.record(event) }

        // A wrapping more a call came to some two million.
        #expect(try residentBytes() - before < 1_000_000)
    }

    /// What the process holds in memory (proc_pid_statm(5)).
    private func residentBytes() throws -> Int {
        let fields = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/statm")), as: UTF8.self).split(separator: " ")
        return try #require(Int(fields[1])) * 4_096
    }

    @Test func `has a read on record after its handler, with how it ended`() async throws {
        let diary = Diary()
        try await diary.audit().intercept(context(.read)) { _ in diary.handle() }
        await #expect(throws: RPCError.self) {
            try await diary.audit().intercept(context(.read)) { _ in throw RPCError(.notFound, "There is none.") }
        }

        #expect(diary.entries == [.handler, .event(0), .event(5)])
        let event = try #require(diary.events.first)
        #expect((event.person, event.actor, event.actorKind, event.purpose) == (Self.ada, Self.ada, .user, .patientRequest))
        #expect((event.service, event.method, event.action, event.request) == ("heartguard.tests.v1.TestsService", "Count", .read, "r1"))
    }

    @Test(arguments: [MethodPolicy.AuditClass.write, .security])
    func `has what changes something on record before its handler`(audit: MethodPolicy.AuditClass) async throws {
        let diary = Diary()
        try await diary.audit().intercept(context(audit)) { _ in diary.handle() }

        #expect(diary.entries == [.event(nil), .handler])
    }

    @Test func `has a stream on record before its first message`() async throws {
        let diary = Diary()
        try await diary.audit().intercept(context(.read, kind: .serverStreaming)) { _ in diary.handle() }

        #expect(diary.entries == [.event(nil), .handler])
    }

    @Test func `says whose account somebody signed in to`() async throws {
        let diary = Diary()
        try await diary.audit().intercept(context(.security, .anyone)) { $0.concerns(Self.eve) }
        await #expect(throws: RPCError.self) {
            try await diary.audit().intercept(context(.security, .anyone)) { context in
                context.concerns(Self.eve)
                throw RPCError(.unauthenticated, "Wrong.")
            }
        }
        try await diary.audit().intercept(context(.security, .anyone)) { _ in }

        #expect(diary.events.map(\.person) == [Self.eve, Self.eve, nil])
        #expect(diary.events.map(\.status) == [0, 16, 0])
        #expect(diary.events.allSatisfy { $0.actor == nil && $0.actorKind == .anyone })
    }

    @Test func `lets nothing happen that it cannot put on record`() async throws {
        let diary = Diary()
        for audit in [MethodPolicy.AuditClass.read, .write] {
            let error = await #expect(throws: RPCError.self) {
                try await diary.audit(fails: true).intercept(context(audit)) { _ in diary.handle() }
            }
            #expect(error?.code == .unavailable)
        }

        // The read was read, and its answer withheld.
        #expect(diary.entries == [.handler])
    }

    @Test func `says nothing of what is nobody's`() async throws {
        let diary = Diary()
        try await diary.audit(fails: true).intercept(context(.none)) { _ in diary.handle() }

        #expect(diary.entries == [.handler])
    }

    @Test func `takes the purpose that the caller names, and no other word`() async throws {
        let diary = Diary()
        try await diary.audit().intercept(context(.read, metadata: ["heartguard-purpose": "TREAT"])) { _ in }
        try await diary.audit().intercept(context(.read, .operator_, role: .operator_)) { _ in }
        let error = await #expect(throws: RPCError.self) {
            try await diary.audit().intercept(context(.write, metadata: ["heartguard-purpose": "FUN"])) { _ in diary.handle() }
        }

        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("TREAT, ETREAT") == true)
        #expect(diary.events.map(\.purpose) == [.treatment, .operations, .patientRequest])
        #expect(diary.entries == [.event(0), .event(0), .event(3)])
    }

    @Test func `finds in the request of an operator or a service whose record it is, and what it names`() async throws {
        let diary = Diary()
        let appointment = UUID()
        let request = UsersV1.CompleteAppointmentRequest(userId: Self.eve.uuidString, appointmentId: appointment.uuidString)
        let context = RPCContext(method: UsersV1.AppointmentsServiceMethods.completeAppointment.descriptor)
        context.note(ReceivedMessage(bytes: try request.serialized()), limit: 1_000)
        try await diary.audit().intercept(signedIn(context, .operator_)) { _ in }
        let made = ErasureV1.EraseRecordsRequest(erasureId: appointment.uuidString, userId: Self.eve.uuidString)
        let call = RPCContext(
            method: ErasureV1.ErasureServiceMethods.eraseRecords.descriptor,
            peerIdentity: PeerIdentity(trustDomain: "heartguard", program: "users"))
        call.note(ReceivedMessage(bytes: try made.serialized()), limit: 1_000)
        try await diary.audit().intercept(call) { _ in }

        #expect(diary.events.map(\.person) == [Self.eve, Self.eve])
        #expect(diary.events.map(\.resource) == [appointment, appointment])
        #expect(diary.events.map(\.actor) == [Self.ada, nil])
        #expect(diary.events.map(\.actorKind) == [.operator_, .service])
        #expect(diary.events.map(\.program) == [nil, "users"])
    }

    @Test func `has it on record before an account changes whose it is, also when the request names it by its address`() async throws {
        let diary = Diary()
        func call() throws -> RPCContext {
            let context = RPCContext(method: UsersV1.RolesServiceMethods.assignRole.descriptor)
            let request = UsersV1.AssignRoleRequest(account: .email("eve@example.org"), role: .clinician)
            context.note(ReceivedMessage(bytes: try request.serialized()), limit: 1_000)
            return signedIn(context, .operator_)
        }
        try await diary.audit().intercept(try call()) { context in
            try await context.willChange(Self.eve)
            diary.handle()
        }
        await #expect(throws: RPCError.self) {
            try await diary.audit().intercept(try call()) { _ in throw RPCError(.notFound, "There is none.") }
        }
        let error = await #expect(throws: RPCError.self) {
            try await diary.audit(fails: true).intercept(try call()) { context in
                try await context.willChange(Self.eve)
                diary.handle()
            }
        }

        #expect(diary.entries == [.event(nil), .handler, .event(5)])
        #expect(diary.events.map(\.person) == [Self.eve, nil])
        #expect(diary.events.map(\.actor) == [Self.ada, Self.ada])
        #expect(error?.code == .unavailable)
    }

    @Test func `believes no user_id of somebody's own request, and no text`() async throws {
        let diary = Diary()
        let context = RPCContext(method: ChatV1.ChatServiceMethods.getSession.descriptor)
        context.note(ReceivedMessage(bytes: try ChatV1.GetSessionRequest(sessionId: "chest pain").serialized()), limit: 1_000)
        try await diary.audit().intercept(signedIn(context)) { _ in }

        #expect(diary.events.map(\.person) == [Self.ada])
        #expect(diary.events.map(\.resource) == [nil])
    }

    @Test func `knows whom every method for services and operators is about that names a person`() throws {
        let methods = ContractRegistry.methods.filter { method in
            let policy = method.descriptor.policy
            return policy.audit != .none && [.service, .operator_].contains(policy.access)
                && method.plainTexts.contains { $0.name == "user_id" }
        }

        #expect(methods.count >= 5)
        for method in methods { #expect(NamedFields.byPath[method.descriptor.path]?.person != nil, "\(method.descriptor.path)") }
    }

    @Test func `has it on record that somebody was not let`() async throws {
        let diary = Diary()
        try await diary.audit().denied(context(.write, .operator_), RPCError(.permissionDenied, "No."))
        try await diary.audit().denied(context(.none, .operator_), RPCError(.permissionDenied, "No."))

        #expect(diary.events.map(\.status) == [7])
        #expect(diary.events.map(\.actorKind) == [.user])
    }

    @Test func `has the same denial on record once a minute, however often it is made, and another as another`() async throws {
        let diary = Diary()
        let audit = diary.audit()
        let denied = context(.read)
        for _ in 0..<1_000 { try await audit.denied(denied, RPCError(.unauthenticated, "Over.")) }
        try await audit.denied(denied, RPCError(.permissionDenied, "No."))
        // Of another session, and so of another caller.
        try await audit.denied(context(.read), RPCError(.unauthenticated, "Over."))

        #expect(diary.events.map(\.status) == [16, 7, 16])
        #expect(audit.denials.state.withLock { $0.leftOut } == 999)
    }

    @Test func `has a denial on record that it could not put there before`() async throws {
        let (diary, denied) = (Diary(), context(.read))
        let isWritable = Mutex(false)
        let audit = CallAudit(AuditOutlet { event async throws(RPCError) in
            guard isWritable.withLock({ $0 }) else { throw AuditError(.full).rpcError }
            try await diary.outlet.record(event)
        })
        await #expect(throws: RPCError.self) { try await audit.denied(denied, RPCError(.unauthenticated, "Over.")) }
        isWritable.withLock { $0 = true }
        try await audit.denied(denied, RPCError(.unauthenticated, "Over."))

        #expect(diary.events.map(\.status) == [16])
    }
}

@Suite struct `The denials of a minute` {
    private let now = ContinuousClock.now

    private func denial(_ caller: String = "session", person: UUID? = nil, method: String = "/a/B") -> DenialAllowance.Denial {
        .init(caller: caller, method: method, person: person, code: .permissionDenied)
    }

    @Test func `are on record once each, and once more in the next minute`() {
        var allowance = DenialAllowance()
        let (ada, eve) = (denial(person: UUID()), denial(person: UUID()))

        #expect([ada, ada, eve, ada].map { allowance.ask($0, at: now) } == [.record, .leaveOut, .record, .leaveOut])
        #expect(allowance.ask(ada, at: now + .seconds(59)) == .leaveOut)
        #expect(allowance.ask(ada, at: now + .seconds(60)) == .record)
        #expect(allowance.leftOut == 3)
    }

    @Test func `are no more of one caller than somebody may want, and of all than can be held`() {
        var allowance = DenialAllowance()
        for number in 0..<DenialAllowance.perCaller { #expect(allowance.ask(denial(method: "\(number)"), at: now) == .record) }

        #expect(allowance.ask(denial(), at: now + .seconds(20)) == .turnAway(retryAfter: .seconds(40)))
        // What is on record is no new one, and another caller has a number of their own.
        #expect(allowance.ask(denial(method: "7"), at: now) == .leaveOut)
        #expect(allowance.ask(denial("other"), at: now) == .record)
        for number in 0..<DenialAllowance.perMinute { _ = allowance.ask(denial("\(number)"), at: now) }
        #expect(allowance.ask(denial("one more"), at: now + .seconds(1)) == .turnAway(retryAfter: .seconds(59)))
        #expect(allowance.turnedAway == DenialAllowance.perCaller + 3)
    }

    @Test func `are none of their caller's when they could not be put on record, each once`() {
        var allowance = DenialAllowance()
        for _ in 0...DenialAllowance.perCaller {
            #expect(allowance.ask(denial(), at: now) == .record)
            allowance.forget(denial())
        }
        allowance.forget(denial())

        let asked = (0...DenialAllowance.perCaller).map { allowance.ask(denial(method: "\($0)"), at: now) }
        #expect(asked.count { $0 == .record } == DenialAllowance.perCaller)
        #expect(asked.last == .turnAway(retryAfter: .seconds(60)))
    }
}

@Suite struct `What a program passes on for the record` {
    @Test func `is the same event when it is read`() throws {
        let event = AuditEvent(
            occurredAt: Instant(microsecondsSinceEpoch: 1_795_900_000_000_001), person: UUID(), actor: UUID(), actorKind: .user, program: "app",
            service: "heartguard.gateway.v1.GatewayService", method: "GetPatientOverview", action: .read, resource: UUID(),
            purpose: .treatment, status: 0, trace: UUID(), request: "r1")

        #expect(try AuditEvent(AuditV1.RecordAccessRequest(event)) == event)
    }

    @Test func `is refused field by field where it is none`() {
        let error = #expect(throws: RPCError.self) { try AuditEvent(AuditV1.RecordAccessRequest(status: 99, requestId: "\u{7f}")) }

        #expect(error?.code == .invalidArgument)
        let fields = error?.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) ?? []
        #expect(Set(fields) == [
            "occurred_at", "actor_kind", "action", "purpose", "trace_id", "status", "service", "method", "request_id",
        ])
    }
}
