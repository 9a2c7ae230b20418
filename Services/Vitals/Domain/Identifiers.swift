internal import Application
internal import FoundationEssentials
internal import Time

/// The person whose data it is; made by the users service.
struct UserID: Hashable, PersonIdentifier {
    let uuid: UUID
    var personID: UUID { uuid }

    init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names a device of a person.
struct DeviceID: Hashable, Sendable {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    init(parsing text: String) throws(InvalidValue) {
        guard let uuid = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
        self.uuid = uuid
    }

    static func make() -> DeviceID { DeviceID(UUIDv7.make()) }

    var text: String { uuid.text }
}

/// Names a reading.
struct ObservationID: Hashable, Sendable {
    let uuid: UUID

    init(_ uuid: UUID) { self.uuid = uuid }

    /// Before every other id, as PostgreSQL sorts them.
    static let least = ObservationID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))

    static func make() -> ObservationID { ObservationID(UUIDv7.make()) }

    init(parsing text: String) throws(InvalidValue) {
        guard let uuid = UUID(uuidString: text) else { throw InvalidValue("is not an id") }
        self.uuid = uuid
    }

    /// As PostgreSQL sorts them.
    func isBefore(_ other: ObservationID) -> Bool { uuid < other.uuid }

    var text: String { uuid.text }
}
