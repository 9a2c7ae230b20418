internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension DeviceKind: PostgresDecodable, PostgresEncodable {}

extension Device: RowDecodable {
    /// The columns that the initialiser reads.
    static let columns: Query = "id, device_type, platform, name, serial_number, is_active, created_at"

    init(row: Row) throws(PostgresError) {
        id = DeviceID(try row.decode("id"))
        kind = try row.decode("device_type")
        platform = try row.decode("platform")
        name = try row.decode("name")
        serialNumber = try row.decode("serial_number")
        isActive = try row.decode("is_active")
        createdAt = try row.decode("created_at")
    }
}

/// The devices in `vitals.user_devices`.
struct DeviceRepository: Sendable {
    static let table: Query = "vitals.user_devices"
    let postgres: Postgres

    /// How many a person may have, so that the list of them is short.
    static let maxDevices = 200

    /// Registers a device, or finds the one with its serial number and makes it active. Answers whether it is new.
    ///
    /// Throws `VitalsError.tooManyDevices` when the person has as many as may be.
    func register(_ device: NewDevice, of user: UserID) async throws -> (Device, isNew: Bool) {
        let (_, insertion, _, found) = try await postgres.batch(
            .lockQuota(of: user, in: Self.table), .insert(device, as: .make(), of: user, atMost: Self.maxDevices),
            .activate(withSerialNumber: device.serialNumber, of: user), .find(withSerialNumber: device.serialNumber, of: user),
            identity: .user(user.uuid))
        guard let registered = try found.first() else { throw VitalsError.tooManyDevices }
        return (registered, insertion.rowsAffected == 1)
    }

    /// Throws `VitalsError.unknownDevice`.
    func rename(_ device: DeviceID, _ name: DeviceText, of user: UserID) async throws -> Device {
        try await changed(.rename(device, name, of: user), of: user)
    }

    /// Throws `VitalsError.unknownDevice`.
    func deactivate(_ device: DeviceID, of user: UserID) async throws -> Device {
        try await changed(.deactivate(device, of: user), of: user)
    }

    private func changed(_ statement: Statement<Device>, of user: UserID) async throws -> Device {
        guard let device = try await postgres.first(statement, identity: .user(user.uuid)) else { throw VitalsError.unknownDevice }
        return device
    }

    /// The person's devices, newest first: ids grow with time.
    func list(of user: UserID) async throws -> [Device] {
        try await postgres.rows(.list(of: user), identity: .user(user.uuid))
    }
}

extension Statement<Void> {
    /// Changes nothing if the person has a device with its serial number, or `limit` devices.
    static func insert(_ device: NewDevice, as id: DeviceID, of user: UserID, atMost limit: Int) -> Self {
        .writing(
            """
            INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number)
            SELECT \(user.uuid), \(id.uuid), \(device.kind), \(device.platform.text),
                   \(device.name.text), \(device.serialNumber.text)
            WHERE (SELECT count(*) FROM vitals.user_devices WHERE user_id = \(user.uuid)) < \(limit)
            ON CONFLICT (user_id, serial_number) DO NOTHING
            """)
    }

    static func activate(withSerialNumber serialNumber: DeviceText, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.user_devices SET is_active = true
            WHERE user_id = \(user.uuid) AND serial_number = \(serialNumber.text) AND NOT is_active
            """)
    }
}

extension Statement<Device> {
    static func rename(_ device: DeviceID, _ name: DeviceText, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.user_devices SET name = \(name.text)
            WHERE user_id = \(user.uuid) AND id = \(device.uuid) RETURNING \(Device.columns)
            """)
    }

    static func deactivate(_ device: DeviceID, of user: UserID) -> Self {
        .writing(
            """
            UPDATE vitals.user_devices SET is_active = false
            WHERE user_id = \(user.uuid) AND id = \(device.uuid) RETURNING \(Device.columns)
            """)
    }

    static func find(withSerialNumber serialNumber: DeviceText, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(Device.columns) FROM vitals.user_devices
            WHERE user_id = \(user.uuid) AND serial_number = \(serialNumber.text)
            """)
    }

    static func list(of user: UserID) -> Self {
        .reading("SELECT \(Device.columns) FROM vitals.user_devices WHERE user_id = \(user.uuid) ORDER BY id DESC")
    }
}
