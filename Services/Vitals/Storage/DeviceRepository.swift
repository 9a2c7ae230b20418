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
    let postgres: Postgres

    /// How many a person may have, so that the list of them is short. Two registrations at once may pass it by one.
    static let maxDevices = 200

    /// Registers a device, or finds the one with its serial number. Answers whether it is new.
    ///
    /// Throws `VitalsError.tooManyDevices` when the person has as many as may be.
    func register(_ device: NewDevice, of user: UserID) async throws -> (Device, isNew: Bool) {
        let results = try await postgres.batch(
            [
                """
                INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number)
                SELECT \(user.uuid), \(DeviceID.make().uuid), \(device.kind), \(device.platform.text),
                       \(device.name.text), \(device.serialNumber.text)
                WHERE (SELECT count(*) FROM vitals.user_devices WHERE user_id = \(user.uuid)) < \(Self.maxDevices)
                ON CONFLICT (user_id, serial_number) DO NOTHING
                """,
                """
                SELECT \(Device.columns) FROM vitals.user_devices
                WHERE user_id = \(user.uuid) AND serial_number = \(device.serialNumber.text)
                """,
            ],
            identity: .user(user.uuid))
        guard let registered = try results[1].first(as: Device.self) else { throw VitalsError.tooManyDevices }
        return (registered, results[0].rowsAffected == 1)
    }

    /// The person's devices, newest first: ids grow with time.
    func list(of user: UserID) async throws -> [Device] {
        try await postgres.rows(
            "SELECT \(Device.columns) FROM vitals.user_devices WHERE user_id = \(user.uuid) ORDER BY id DESC",
            as: Device.self, identity: .user(user.uuid), mode: .readOnly)
    }
}
