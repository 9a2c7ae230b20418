internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A drug that the person takes or took, and when.
struct Medication: Hashable, Sendable {
    enum Form: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case tablet, capsule, liquid, injection, inhaler, patch, drops, cream, other
    }

    var id: UUID
    var name: String
    var rxnormCode: String?
    var dosage: String
    var form: Form?
    var route: String?
    var schedule: JSONB = JSONB("{}")
    var instructions: String?
    var reason: String?
    var prescriber: String?
    var pharmacy: String?
    var startsOn: CivilDate
    var endsOn: CivilDate?
    var refillsRemaining: Int32?
    var sideEffects: String?
    var isActive: Bool = true
    var remindersEnabled: Bool = true
    var version: Int64 = 1
}

extension Medication: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, name, rxnorm_code, dosage, form, route, schedule, instructions, reason, prescriber, pharmacy,
        starts_on, ends_on, refills_remaining, side_effects, is_active, reminders_enabled, version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        name = try row.decode("name")
        rxnormCode = try row.decode("rxnorm_code")
        dosage = try row.decode("dosage")
        form = try row.decode("form")
        route = try row.decode("route")
        schedule = try row.decode("schedule")
        instructions = try row.decode("instructions")
        reason = try row.decode("reason")
        prescriber = try row.decode("prescriber")
        pharmacy = try row.decode("pharmacy")
        startsOn = try row.decode("starts_on")
        endsOn = try row.decode("ends_on")
        refillsRemaining = try row.decode("refills_remaining")
        sideEffects = try row.decode("side_effects")
        isActive = try row.decode("is_active")
        remindersEnabled = try row.decode("reminders_enabled")
        version = try row.decode("version")
    }
}

/// The rows of `vitals.medications`. Every statement runs as the person whose rows it touches.
struct MedicationRepository: RemovableRecords {
    static let table: Query = "vitals.medications"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: Medication, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: Medication, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: Medication, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.medications (
                user_id, id, name, rxnorm_code, dosage, form, route, schedule, instructions, reason, prescriber,
                pharmacy, starts_on, ends_on, refills_remaining, side_effects, is_active, reminders_enabled,
                version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.name), \(record.rxnormCode), \(record.dosage),
                \(record.form), \(record.route), \(record.schedule), \(record.instructions), \(record.reason),
                \(record.prescriber), \(record.pharmacy), \(record.startsOn), \(record.endsOn),
                \(record.refillsRemaining), \(record.sideEffects), \(record.isActive),
                \(record.remindersEnabled), \(record.version)
            )
            """)
    }

    static func replace(_ record: Medication, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.medications SET
                name = \(record.name), rxnorm_code = \(record.rxnormCode), dosage = \(record.dosage),
                form = \(record.form), route = \(record.route), schedule = \(record.schedule),
                instructions = \(record.instructions), reason = \(record.reason),
                prescriber = \(record.prescriber), pharmacy = \(record.pharmacy),
                starts_on = \(record.startsOn), ends_on = \(record.endsOn),
                refills_remaining = \(record.refillsRemaining), side_effects = \(record.sideEffects),
                is_active = \(record.isActive), reminders_enabled = \(record.remindersEnabled),
                version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
