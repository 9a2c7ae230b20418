package import FoundationEssentials
internal import Postgres
package import Time

/// Who asked for what of whose, why, and how it ended. It names people and things by ids, and holds nothing that a message said.
package struct AuditEvent: Hashable, Sendable {
    /// What kind of caller it was.
    package enum ActorKind: String, Hashable, Sendable, CaseIterable, PostgresCodable, PostgresElement {
        case user
        /// A clinician, who may have called for a patient.
        case clinician
        case operator_ = "operator"
        /// A program of the cluster, without a person behind it.
        case service
        /// Somebody who has not signed in.
        case anyone
    }

    /// The audit class of the method.
    package enum Action: String, Hashable, Sendable, CaseIterable, PostgresCodable, PostgresElement {
        case read, write, security
    }

    package let occurredAt: Instant
    /// Whose record; nil for what is nobody's, or was not found out.
    package var person: UUID?
    /// The account that called.
    package var actor: UUID?
    package var actorKind: ActorKind
    /// The program whose certificate the connection showed.
    package var program: String?
    package let service: String
    package let method: String
    package let action: Action
    /// The one thing that the request named.
    package var resource: UUID?
    package var purpose: PurposeOfUse
    /// gRPC's number for how the call ended; nil for an event that was written before the call could have an effect, and so before its end.
    package var status: Int16?
    package let trace: UUID
    package let request: String

    package init(
        occurredAt: Instant, person: UUID?, actor: UUID?, actorKind: ActorKind, program: String?, service: String, method: String,
        action: Action, resource: UUID?, purpose: PurposeOfUse, status: Int16?, trace: UUID, request: String
    ) {
        self.occurredAt = occurredAt
        self.person = person
        self.actor = actor
        self.actorKind = actorKind
        self.program = program
        self.service = service
        self.method = method
        self.action = action
        self.resource = resource
        self.purpose = purpose
        self.status = status
        self.trace = trace
        self.request = request
    }
}

/// Why a record was asked for: terms of HL7's PurposeOfUse (v3-ActReason).
package enum PurposeOfUse: String, Hashable, Sendable, CaseIterable, PostgresCodable, PostgresElement {
    case treatment = "TREAT"
    case emergencyTreatment = "ETREAT"
    case careManagement = "CAREMGT"
    /// The person asked for it.
    case patientRequest = "PATRQT"
    case familyRequest = "FAMRQT"
    case operations = "HOPERAT"
    case systemAdministration = "HSYSADMIN"
    case payment = "HPAYMT"
    case research = "HRESCH"
    case publicHealth = "PUBHLTH"
}
