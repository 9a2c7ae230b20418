internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// Something in the person's calendar; the recurrence is an RRULE of RFC 5545.
struct CalendarEvent: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case appointment, medication, measurement, exercise, reminder, other
    }

    enum Status: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case tentative, confirmed, cancelled, done
    }

    var id: UUID
    var kind: Kind
    var title: String
    var description: String?
    var location: String?
    var startsAt: Instant
    var endsAt: Instant
    var isAllDay: Bool = false
    var timeZone: String = "UTC"
    var recurrenceRule: String?
    var reminderMinutes: Int32?
    var status: Status = .confirmed
    var appointmentID: UUID?
    var medicationID: UUID?
    var externalSource: String?
    var externalID: String?
    /// Grows by one with every change.
    var version: Int64 = 1
}

extension CalendarEvent: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, kind, title, description, location, starts_at, ends_at, is_all_day, time_zone, recurrence_rule,
        reminder_minutes, status, appointment_id, medication_id, external_source, external_id, version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        kind = try row.decode("kind")
        title = try row.decode("title")
        description = try row.decode("description")
        location = try row.decode("location")
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
        isAllDay = try row.decode("is_all_day")
        timeZone = try row.decode("time_zone")
        recurrenceRule = try row.decode("recurrence_rule")
        reminderMinutes = try row.decode("reminder_minutes")
        status = try row.decode("status")
        appointmentID = try row.decode("appointment_id")
        medicationID = try row.decode("medication_id")
        externalSource = try row.decode("external_source")
        externalID = try row.decode("external_id")
        version = try row.decode("version")
    }
}

/// The rows of `users.calendar_events`. Every statement runs as the person whose rows it touches.
struct CalendarEventRepository: RemovableRecords {
    static let table: Query = "users.calendar_events"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: CalendarEvent, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: CalendarEvent, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: CalendarEvent, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.calendar_events (
                user_id, id, kind, title, description, location, starts_at, ends_at, is_all_day, time_zone,
                recurrence_rule, reminder_minutes, status, appointment_id, medication_id, external_source,
                external_id, version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.kind), \(record.title), \(record.description),
                \(record.location), \(record.startsAt), \(record.endsAt), \(record.isAllDay),
                \(record.timeZone), \(record.recurrenceRule), \(record.reminderMinutes), \(record.status),
                \(record.appointmentID), \(record.medicationID), \(record.externalSource), \(record.externalID),
                \(record.version)
            )
            """)
    }

    static func replace(_ record: CalendarEvent, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.calendar_events SET
                kind = \(record.kind), title = \(record.title), description = \(record.description),
                location = \(record.location), starts_at = \(record.startsAt), ends_at = \(record.endsAt),
                is_all_day = \(record.isAllDay), time_zone = \(record.timeZone),
                recurrence_rule = \(record.recurrenceRule), reminder_minutes = \(record.reminderMinutes),
                status = \(record.status), appointment_id = \(record.appointmentID),
                medication_id = \(record.medicationID), external_source = \(record.externalSource),
                external_id = \(record.externalID), version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
