package import FoundationEssentials
package import Postgres
package import RPC
internal import Tokens

/// Calls that a clinician makes for a patient: they name the patient, and are let through only while a grant of that patient stands.
///
/// The grant is asked for of Postgres at every call and never remembered, so one that was revoked lets no call in that begins after the answer
/// that it is. Of a stream it is asked again while it lasts (`StreamWatch`).
package struct PatientAccess: Sendable {
    /// The metadata of a call that is made for a patient: the patient's id.
    package static let header = "heartguard-patient"

    /// Nothing without a record of its own; then whoever the call is passed on to asks.
    let postgres: Postgres?

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
}

extension Statement<Scalar<Bool>> {
    /// Whether a patient lets the person whom the transaction works for into any of these scopes.
    package static func isGranted(_ scopes: [CareScope], by patient: UUID) -> Self {
        .reading("SELECT heartguard.care_granted(\(patient), \(scopes.map(\.rawValue))) AS granted")
    }
}
