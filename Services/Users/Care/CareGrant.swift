internal import FoundationEssentials
internal import RPC
internal import Time

/// A clinician as a patient names them. Whether there is one of that name is not said.
enum ClinicianName: Hashable, Sendable {
    case id(UUID)
    case email(EmailAddress)

    /// As the grants that stand are told apart.
    var text: String {
        switch self {
        case .id(let id): id.text
        case .email(let email): email.text
        }
    }
}

/// That a patient has let a clinician into parts of their record.
struct CareGrant: Hashable, Sendable {
    let id: UUID
    let clinician: ClinicianName
    let scopes: [CareScope]
    let purpose: String
    let grantedAt: Instant
    let expiresAt: Instant
    /// `nil` while it was not ended before its time.
    let revokedAt: Instant?
}

/// A grant that is about to be given.
struct GrantWish: Hashable, Sendable {
    let id: UUID
    let clinician: ClinicianName
    /// With what goes with each, in the order of the contract.
    let scopes: [CareScope]
    let purpose: String
    let expiresAt: Instant

    /// The longest that a grant may be given for.
    static let longest = Duration.seconds(366 * 86_400)

    /// Whether a grant is what was wished for.
    func isMet(by grant: CareGrant) -> Bool {
        grant.clinician == clinician && grant.scopes == scopes && grant.purpose == purpose && grant.expiresAt == expiresAt
    }
}

/// Somebody who has let a clinician in: what all their standing grants say together.
struct Patient: Hashable, Sendable {
    let id: UserID
    let name: String
    let scopes: [CareScope]
    let grantedAt: Instant
    let expiresAt: Instant
}
