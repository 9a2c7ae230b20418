package import FoundationEssentials
package import Time

/// What an access token says about who is calling.
package struct AccessClaims: Sendable, Hashable {
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case user
        /// Sees the records of patients who have let them in, beside their own.
        case clinician
        case operator_ = "operator"
    }

    /// The account (`sub`).
    package var subject: UUID
    /// This token and no other (`jti`), by which it is revoked.
    package var tokenID: String
    package var role: Role
    package var issuedAt: Instant
    package var expiresAt: Instant
    /// The login that this token comes from (`sid`): the family of its refresh tokens, by which all are revoked.
    package var sessionID: UUID

    /// A token carries whole seconds, so both instants are rounded down.
    package init(
        subject: UUID, tokenID: String = UUIDv7.make().text, role: Role, issuedAt: Instant = .now(),
        expiresAt: Instant, sessionID: UUID
    ) {
        self.subject = subject
        self.tokenID = tokenID
        self.role = role
        self.issuedAt = Instant(secondsSinceEpoch: issuedAt.secondsSinceEpoch)
        self.expiresAt = Instant(secondsSinceEpoch: expiresAt.secondsSinceEpoch)
        self.sessionID = sessionID
    }
}

extension Instant {
    /// Rounded down, before 1970 too.
    var secondsSinceEpoch: Int64 {
        let (seconds, remainder) = microsecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? seconds - 1 : seconds
    }

    init(secondsSinceEpoch: Int64) {
        self.init(microsecondsSinceEpoch: secondsSinceEpoch * 1_000_000)
    }
}
