internal import Application
internal import FoundationEssentials
internal import Time

/// Names an account, here and in every other service.
struct UserID: Hashable, PersonIdentifier {
    let uuid: UUID
    var personID: UUID { uuid }

    init(_ uuid: UUID) { self.uuid = uuid }

    static func make() -> UserID { UserID(UUIDv7.make()) }
}

/// Names a session: what one sign-in began, and every refresh token that followed from it.
struct SessionID: Hashable, Sendable {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    static func make() -> SessionID { SessionID(UUIDv7.make()) }

    /// No session has a larger one: what is meant up to it are all that ever begin.
    static let last = SessionID(
        UUID(uuid: (255, 255, 255, 255, 255, 255, 127, 255, 191, 255, 255, 255, 255, 255, 255, 255)))

    /// As it stands in access tokens.
    var text: String { uuid.text }
}
