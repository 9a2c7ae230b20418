internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A device that notifications go to.
struct PushDevice: Hashable, Sendable {
    enum Platform: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case ios, android, web
    }

    var id: UUID
    var platform: Platform
    var pushToken: String
    var deviceName: String?
    var appVersion: String?
    var locale: String?
    var isActive: Bool = true
    var failureCount: Int32 = 0
    var lastSeenAt: Instant
}

extension PushDevice: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, platform, push_token, device_name, app_version, locale, is_active, failure_count, last_seen_at
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        platform = try row.decode("platform")
        pushToken = try row.decode("push_token")
        deviceName = try row.decode("device_name")
        appVersion = try row.decode("app_version")
        locale = try row.decode("locale")
        isActive = try row.decode("is_active")
        failureCount = try row.decode("failure_count")
        lastSeenAt = try row.decode("last_seen_at")
    }
}

/// The rows of `users.push_devices`. Every statement runs as the person whose rows it touches.
struct PushDeviceRepository: RemovableRecords {
    static let table: Query = "users.push_devices"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: PushDevice, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none.
    func replace(_ record: PushDevice, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: PushDevice, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.push_devices (
                user_id, id, platform, push_token, device_name, app_version, locale, is_active, failure_count,
                last_seen_at
            ) VALUES (
                \(user.uuid), \(record.id), \(record.platform), \(record.pushToken), \(record.deviceName),
                \(record.appVersion), \(record.locale), \(record.isActive), \(record.failureCount),
                \(record.lastSeenAt)
            )
            """)
    }

    static func replace(_ record: PushDevice, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.push_devices SET
                platform = \(record.platform), push_token = \(record.pushToken),
                device_name = \(record.deviceName), app_version = \(record.appVersion),
                locale = \(record.locale), is_active = \(record.isActive),
                failure_count = \(record.failureCount), last_seen_at = \(record.lastSeenAt)
            WHERE user_id = \(user.uuid) AND id = \(record.id)
            """)
    }
}
