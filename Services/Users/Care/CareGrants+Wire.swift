internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

extension GrantWish {
    /// Throws INVALID_ARGUMENT with a violation for every field that is wrong.
    init(_ request: UsersV1.GrantAccessRequest, by patient: UserID) throws(RPCError) {
        var violations = FieldViolations()
        let id = violations.value("id", request.id, UUID.init(parsing:))
        let clinician: ClinicianName?
        switch request.clinician {
        case .clinicianId(let given):
            let named = violations.value("clinician_id", given, UUID.init(parsing:))
            violations.check(named != patient.uuid, "clinician_id", "Nobody lets themselves in.")
            clinician = named.map { .id($0) }
        case .clinicianEmail(let given):
            clinician = violations.value("clinician_email", given, EmailAddress.init(_:)).map { .email($0) }
        case nil:
            violations.add("clinician", "A clinician_id or a clinician_email is needed.")
            clinician = nil
        }
        violations.check((1...CareScope.mostNamed).contains(request.scopes.count), "scopes", "From 1 to \(CareScope.mostNamed) are needed.")
        var scopes: Set<CareScope> = []
        for (place, given) in request.scopes.prefix(CareScope.mostNamed).enumerated() {
            guard let scope = violations.value("scopes[\(place)]", given, CareScope.init(_:)) else { continue }
            scopes.formUnion([scope, scope.implied].compactMap(\.self))
        }
        let purpose = violations.value("purpose", request.purpose) { text throws(InvalidValue) in
            try PlainText(text, characters: 1...200, lines: false).text
        }
        let expiresAt = violations.value("expires_at", request.expiresAt, Self.end)
        let parsed = try violations.complete(id, clinician, purpose, expiresAt)
        self.init(
            id: parsed.0, clinician: parsed.1, scopes: CareScope.allCases.filter { scopes.contains($0) }, purpose: parsed.2, expiresAt: parsed.3)
    }

    private static func end(_ given: GoogleProtobuf.Timestamp?) throws(InvalidValue) -> Instant {
        guard let given else { throw InvalidValue("is needed") }
        let end = try Instant(checking: given)
        let now = Instant.now()
        guard now < end, end <= now + longest else { throw InvalidValue("is not within the next 366 days") }
        return end
    }
}

extension UsersV1.CareGrant {
    init(_ grant: CareGrant) {
        let clinician: OneOf_Clinician =
            switch grant.clinician {
            case .id(let id): .clinicianId(id.text)
            case .email(let email): .clinicianEmail(email.text)
            }
        self.init(
            id: grant.id.text, clinician: clinician, scopes: grant.scopes.map { .init($0) }, purpose: grant.purpose,
            grantedAt: .init(grant.grantedAt), expiresAt: .init(grant.expiresAt), revokedAt: grant.revokedAt.map { .init($0) })
    }
}

extension UsersV1.Patient {
    init(_ patient: Patient) {
        self.init(
            userId: patient.id.uuid.text, name: patient.name, scopes: patient.scopes.map { .init($0) }, grantedAt: .init(patient.grantedAt),
            expiresAt: .init(patient.expiresAt))
    }
}

extension CareScope {
    /// How many a request may name, some of them twice.
    fileprivate static let mostNamed = 32

    init(_ scope: PolicyV1.CareScope) throws(InvalidValue) {
        switch scope {
        case .vitalsRead: self = .vitalsRead
        case .vitalsWrite: self = .vitalsWrite
        case .medicationsRead: self = .medicationsRead
        case .medicationsWrite: self = .medicationsWrite
        case .profileRead: self = .profileRead
        case .appointmentsRead: self = .appointmentsRead
        case .appointmentsWrite: self = .appointmentsWrite
        case .chatRead: self = .chatRead
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension PolicyV1.CareScope {
    init(_ scope: CareScope) {
        self = switch scope {
        case .vitalsRead: .vitalsRead
        case .vitalsWrite: .vitalsWrite
        case .medicationsRead: .medicationsRead
        case .medicationsWrite: .medicationsWrite
        case .profileRead: .profileRead
        case .appointmentsRead: .appointmentsRead
        case .appointmentsWrite: .appointmentsWrite
        case .chatRead: .chatRead
        }
    }
}
