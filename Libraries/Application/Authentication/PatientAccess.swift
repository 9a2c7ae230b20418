package import FoundationEssentials
package import Postgres
package import RPC
internal import Tokens

/// Calls that a clinician makes for a patient: they name the patient, and are let through only while a grant of that patient stands.
///
/// The grant is asked for of Postgres at every call and never remembered, so one that was revoked lets no call in that begins after the answer
/// that it is. A stream asks again while it lasts.
package struct PatientAccess: Sendable {
    /// The metadata of a call that is made for a patient: the patient's id.
    package static let header = "heartguard-patient"

    /// Nothing without a record of its own; then whoever the call is passed on to asks.
    let postgres: Postgres?
    /// How long a stream goes on before it asks again.
    var pause = Duration.seconds(2)

    package init(postgres: Postgres?) { self.postgres = postgres }

    /// For whom a call is made; `nil` for a call for oneself.
    ///
    /// - Throws: PERMISSION_DENIED for a method that nobody calls for somebody else, INVALID_ARGUMENT for what names no patient. A call is never
    ///   taken for one of the caller's own because the patient's name cannot be read.
    static func patient(_ context: RPCContext) throws(RPCError) -> UUID? {
        let names = context.metadata.values(for: header)
        guard let name = names.first else { return nil }
        guard !context.method.policy.scopes.isEmpty else {
            throw RPCError(.permissionDenied, "\(context.method.name) cannot be called for a patient.")
        }
        guard names.count == 1, let patient = UUID(uuidString: name) else {
            throw RPCError(.invalidArgument, "\(header) is not the id of one patient.")
        }
        return patient
    }

    /// Lets a clinician's call for a patient in.
    ///
    /// - Throws: PERMISSION_DENIED, in the same words whether there is such a patient or not; UNAVAILABLE where the record cannot be asked, CANCELLED.
    func admit(_ caller: CallerIdentity, for patient: UUID, to method: MethodDescriptor) async throws(RPCError) {
        guard caller.role == .clinician else {
            throw RPCError(.permissionDenied, "Only a clinician may call for a patient.")
        }
        let denial = RPCError(.permissionDenied, "No patient of this id has let you into this.")
        guard patient != caller.actorID else { throw denial }
        guard let postgres else { return }
        let isGranted: Bool
        do throws(PostgresError) {
            isGranted = try await postgres.first(
                .isGranted(method.policy.scopes, by: patient), identity: .user(caller.actorID))?.value ?? false
        } catch where error.code == .queryCancelled {
            throw RPCError(.cancelled, "The call was cancelled.", cause: error)
        } catch {
            throw .unavailable("Whether the patient lets you in cannot be checked right now.", cause: error)
        }
        guard isGranted else { throw denial }
    }

    /// Goes on with a call as long as its grant stands. A call of one answer was asked about already; a stream ends within `pause` and the time that
    /// the question takes, with what `admit` throws.
    func go(
        on caller: CallerIdentity, for patient: UUID, _ context: RPCContext, next: @Sendable (RPCContext) async throws -> Void
    ) async throws {
        guard context.method.kind != .unary, postgres != nil else { return try await next(context) }
        try await withoutActuallyEscaping(next) { next in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await next(context) }
                group.addTask {
                    while true {
                        try await Task.sleep(for: pause)
                        try await admit(caller, for: patient, to: context.method)
                    }
                }
                // The handler's end, or why it may not go on.
                try await group.next()
                group.cancelAll()
            }
        }
    }
}

extension Statement<Scalar<Bool>> {
    /// Whether a patient lets the person whom the transaction works for into any of these scopes.
    package static func isGranted(_ scopes: [CareScope], by patient: UUID) -> Self {
        .reading("SELECT heartguard.care_granted(\(patient), \(scopes.map(\.rawValue))) AS granted")
    }
}
