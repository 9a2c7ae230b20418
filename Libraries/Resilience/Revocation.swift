package import FoundationEssentials
package import Time

/// Access tokens that are refused although they have not expired: those of one session, or those of an account whose sessions
/// are no younger than one.
package struct Revocation: Sendable, Hashable {
    /// The session, or the account.
    package let id: UUID
    /// Of an account, the youngest session that is meant. Ids of sessions sort by the time at which they began (UUIDv7).
    package let upTo: UUID?
    /// When the last of the tokens has expired by itself.
    package let expiresAt: Instant

    package init(id: UUID, upTo: UUID? = nil, expiresAt: Instant) {
        self.id = id
        self.upTo = upTo
        self.expiresAt = expiresAt
    }

    package static func session(_ id: UUID, expiresAt: Instant) -> Revocation {
        Revocation(id: id, expiresAt: expiresAt)
    }

    package static func sessions(of account: UUID, upTo: UUID, expiresAt: Instant) -> Revocation {
        Revocation(id: account, upTo: upTo, expiresAt: expiresAt)
    }
}
