internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// The devices that messages go to. A token names one app on one device, so it belongs to whoever registered it last: who hands on their
/// telephone does not read the next owner's messages, nor the other way round.
struct PushDevices: Sendable {
    let postgres: Postgres

    /// Registers a device, or the one that the person has with the same token anew.
    ///
    /// Throws `RecordError.tooMany` and `UsersError.accountGone`.
    func register(_ device: PushDevice, of user: UserID) async throws -> PushDevice {
        do {
            return try await postgres.transaction(identity: .user(user.uuid)) { transaction in
                let (_, _, known, count) = try await transaction.batch(
                    .takePushToken(device.pushToken), .lockRecords(of: user), .knowsPushToken(device.pushToken, of: user),
                    .countRecords(of: user, in: PushDeviceRepository.table))
                guard try known.first() != nil || count.first()?.value ?? 0 < RecordLimit.pushDevices else {
                    throw RecordError.tooMany(most: RecordLimit.pushDevices)
                }
                guard let registered = try await transaction.first(.register(device, of: user)) else {
                    throw PostgresError(.decoding, "A registered device was not returned.")
                }
                return registered
            }
        } catch let error as PostgresError where error.code == .foreignKeyViolation {
            throw UsersError.accountGone
        }
    }

    /// The newest first.
    func list(of user: UserID) async throws(PostgresError) -> [PushDevice] {
        try await PushDeviceRepository(postgres: postgres).list(of: user, limit: Int(RecordLimit.pushDevices))
    }

    /// Throws `RecordError.notFound`.
    func remove(_ id: UUID, of user: UserID) async throws {
        guard try await PushDeviceRepository(postgres: postgres).remove(id, of: user) else { throw RecordError.notFound }
    }
}

extension Statement<Scalar<Int64>> {
    /// From how many others it was taken. Locks the token.
    static func takePushToken(_ token: String) -> Self {
        .writing("SELECT users.take_push_token(\(token)) AS taken")
    }
}

extension Statement<Scalar<UUID>> {
    static func knowsPushToken(_ token: String, of user: UserID) -> Self {
        .reading("SELECT id FROM users.push_devices WHERE user_id = \(user.uuid) AND md5(push_token) = md5(\(token))")
    }
}

extension Statement<PushDevice> {
    static func register(_ device: PushDevice, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.push_devices (user_id, id, platform, push_token, device_name, app_version, locale)
            VALUES (\(user.uuid), \(device.id), \(device.platform), \(device.pushToken), \(device.deviceName), \(device.appVersion),
                    \(device.locale))
            ON CONFLICT (user_id, md5(push_token)) DO UPDATE
            SET platform = excluded.platform, device_name = excluded.device_name, app_version = excluded.app_version,
                locale = excluded.locale, is_active = true, failure_count = 0, last_seen_at = clock_timestamp()
            RETURNING \(PushDevice.columns)
            """)
    }
}
