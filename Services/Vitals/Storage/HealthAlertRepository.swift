internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A warning about the person's health.
struct HealthAlert: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case threshold, trend, arrhythmia, missedMedication = "missed_medication",
            device, prediction, emergency
    }

    enum Severity: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case info, warning, high, critical
    }

    var id: UUID
    var type: Kind
    var severity: Severity
    var title: String
    var message: String = ""
    var metric: String?
    var value: Numeric?
    var unit: String?
    var threshold: Numeric?
    var vitalID: UUID?
    var triggeredAt: Instant
    var acknowledgedAt: Instant?
    var resolved: Bool = false
    var resolvedAt: Instant?
    var resolution: String?
}

extension HealthAlert: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, type, severity, title, message, metric, value, unit, threshold, vital_id, triggered_at,
        acknowledged_at, resolved, resolved_at, resolution
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        type = try row.decode("type")
        severity = try row.decode("severity")
        title = try row.decode("title")
        message = try row.decode("message")
        metric = try row.decode("metric")
        value = try row.decode("value")
        unit = try row.decode("unit")
        threshold = try row.decode("threshold")
        vitalID = try row.decode("vital_id")
        triggeredAt = try row.decode("triggered_at")
        acknowledgedAt = try row.decode("acknowledged_at")
        resolved = try row.decode("resolved")
        resolvedAt = try row.decode("resolved_at")
        resolution = try row.decode("resolution")
    }
}

/// The rows of `vitals.health_alerts`. Every statement runs as the person whose rows it touches.
struct HealthAlertRepository: PersonalRecords {
    static let table: Query = "vitals.health_alerts"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: HealthAlert, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: HealthAlert, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: HealthAlert, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.health_alerts (
                user_id, id, type, severity, title, message, metric, value, unit, threshold, vital_id,
                triggered_at, acknowledged_at, resolved, resolved_at, resolution
            ) VALUES (
                \(user.uuid), \(record.id), \(record.type), \(record.severity), \(record.title),
                \(record.message), \(record.metric), \(record.value), \(record.unit), \(record.threshold),
                \(record.vitalID), \(record.triggeredAt), \(record.acknowledgedAt), \(record.resolved),
                \(record.resolvedAt), \(record.resolution)
            )
            """)
    }

    static func replace(_ record: HealthAlert, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.health_alerts SET
                type = \(record.type), severity = \(record.severity), title = \(record.title),
                message = \(record.message), metric = \(record.metric), value = \(record.value),
                unit = \(record.unit), threshold = \(record.threshold), vital_id = \(record.vitalID),
                triggered_at = \(record.triggeredAt), acknowledged_at = \(record.acknowledgedAt),
                resolved = \(record.resolved), resolved_at = \(record.resolvedAt),
                resolution = \(record.resolution)
            WHERE user_id = \(user.uuid) AND id = \(record.id)
            """)
    }
}
