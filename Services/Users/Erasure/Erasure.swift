internal import Application
internal import FoundationEssentials
internal import Time

/// Names an erasure: random, so that it tells neither whose it is nor when it was.
struct ErasureID: Hashable, Sendable {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    init(parsing text: String) throws(InvalidValue) { uuid = try UUID(parsing: text) }

    static func make() -> ErasureID { ErasureID(UUID()) }

    var text: String { uuid.text }
}

/// The removal of everything that is kept of one person.
struct Erasure: Hashable, Sendable {
    /// Who asked for it. The raw value is what the table holds.
    enum Requester: String, Hashable, Sendable {
        case user
        case operator_ = "operator"
    }

    let id: ErasureID
    let requestedBy: Requester
    let requestedAt: Instant
    /// `nil` while it is under way.
    let finishedAt: Instant?
    /// What was removed where, signed; there is one when it has finished.
    let receipt: String?
}
