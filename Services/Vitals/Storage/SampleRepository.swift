internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Sample: RowDecodable {
    init(row: Row) throws(PostgresError) {
        at = try row.decode("timestamp")
        sequence = SequenceNumber(stored: try row.decode("sequence"))
        value = try row.decode("value")
    }
}

/// The signals in `vitals.device_timeseries`, which has a partition for each month.
struct SampleRepository: Sendable {
    let postgres: Postgres

    /// Keeps a batch, all or none, in one round trip, and answers how many were new.
    ///
    /// Throws `VitalsError.noSuchDevice` unless the device is the person's and active.
    func append(_ samples: [Sample], _ metric: MetricName, of device: DeviceID, _ user: UserID) async throws -> Int {
        let (held, insertion) = try await postgres.batch(
            .hold([device.uuid], of: user), .insert(samples, metric, of: device, user), identity: .user(user.uuid))
        guard held.rowsAffected == 1 else { throw VitalsError.noSuchDevice }
        return insertion.rowsAffected
    }

    /// Where a page of samples ends. The next one begins after it.
    struct Place: Hashable, Sendable {
        let at: Instant
        let sequence: Int64
    }

    /// A device's samples of one metric within a period, oldest first, from a place on.
    ///
    /// Throws `VitalsError.noSuchDevice` unless the device is the person's; it need not be active.
    func list(
        _ metric: MetricName, of device: DeviceID, _ user: UserID, in period: Period, after place: Place?, limit: Int
    ) async throws -> [Sample] {
        // Sequences are not negative, so every sample from the start on comes after this place.
        let place = place ?? Place(at: period.start, sequence: -1)
        let (found, samples) = try await postgres.batch(
            .find(device, of: user), .list(metric, of: device, user, after: place, before: period.end, limit: limit),
            identity: .user(user.uuid))
        guard found.rowsAffected == 1 else { throw VitalsError.noSuchDevice }
        return try samples.rows()
    }
}

extension Statement<Void> {
    /// In the order of the key, so that two replays of one batch wait for each other and never in a ring.
    static func insert(_ samples: [Sample], _ metric: MetricName, of device: DeviceID, _ user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
            SELECT \(user.uuid), \(device.uuid), \(metric.text), n.at, n.sequence, n.value
            FROM unnest(\(samples.map(\.at)), \(samples.map(\.sequence.value)), \(samples.map(\.value)))
                 AS n (at, sequence, value)
            WHERE EXISTS (SELECT FROM vitals.user_devices d
                          WHERE d.user_id = \(user.uuid) AND d.id = \(device.uuid) AND d.is_active)
            ORDER BY n.at, n.sequence
            ON CONFLICT DO NOTHING
            """,
            tier: .normal)
    }
}

extension Statement<Scalar<UUID>> {
    static func find(_ device: DeviceID, of user: UserID) -> Self {
        .reading("SELECT id FROM vitals.user_devices WHERE user_id = \(user.uuid) AND id = \(device.uuid)")
    }
}

extension Statement<Sample> {
    /// The row comparison finds the place in the index; the plain one picks the partitions.
    static func list(
        _ metric: MetricName, of device: DeviceID, _ user: UserID, after place: SampleRepository.Place, before end: Instant,
        limit: Int
    ) -> Self {
        .reading(
            """
            SELECT "timestamp", sequence, value FROM vitals.device_timeseries
            WHERE user_id = \(user.uuid) AND device_id = \(device.uuid) AND metric_type = \(metric.text)
              AND "timestamp" >= \(place.at) AND ("timestamp", sequence) > (\(place.at), \(place.sequence))
              AND "timestamp" < \(end)
            ORDER BY "timestamp", sequence LIMIT \(limit)
            """,
            tier: .normal)
    }
}
