internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Somebody to call when the person is in danger.
struct EmergencyContact: Hashable, Sendable {
    enum Relationship: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case spouse, partner, parent, child, sibling, relative, friend, guardian, caregiver, physician, other
    }

    var id: UUID
    var name: String
    var relationship: Relationship
    var phone: String
    var email: String?
    var isPrimary: Bool = false
    var notify: Bool = true
    var notes: String?
    /// Grows by one with every change.
    var version: Int64 = 1
}

extension EmergencyContact: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, name, relationship, phone, email, is_primary, notify, notes, version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        name = try row.decode("name")
        relationship = try row.decode("relationship")
        phone = try row.decode("phone")
        email = try row.decode("email")
        isPrimary = try row.decode("is_primary")
        notify = try row.decode("notify")
        notes = try row.decode("notes")
        version = try row.decode("version")
    }
}

/// The rows of `users.emergency_contacts`. Every statement runs as the person whose rows it touches.
struct EmergencyContactRepository: RemovableRecords {
    static let table: Query = "users.emergency_contacts"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: EmergencyContact, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: EmergencyContact, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: EmergencyContact, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.emergency_contacts (
                user_id, id, name, relationship, phone, email, is_primary, notify, notes, version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.name), \(record.relationship), \(record.phone),
                \(record.email), \(record.isPrimary), \(record.notify), \(record.notes),
                \(record.version)
            )
            """)
    }

    static func replace(_ record: EmergencyContact, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.emergency_contacts SET
                name = \(record.name), relationship = \(record.relationship), phone = \(record.phone),
                email = \(record.email), is_primary = \(record.isPrimary), notify = \(record.notify),
                notes = \(record.notes), version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
