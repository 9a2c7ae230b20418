internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension Sample: RowDecodable {
    init(row: Row) throws(PostgresError) {
        at = try row.decode("timestamp")
        sequence = SequenceNumber(stored: try row.decode("sequence"))
        value = try row.decode("value")
        revision = try row.decode("revision")
    }
}

/// The signals in `vitals.device_timeseries`, which has a partition for each month.
struct SampleRepository: Sendable {
    let postgres: Postgres

    /// What became of a batch.
    struct Appended: Hashable, Sendable, RowDecodable {
        let newCount: Int64
        let correctedCount: Int64

        init(row: Row) throws(PostgresError) {
            newCount = try row.decode("new_count")
            correctedCount = try row.decode("corrected_count")
        }
    }

    /// Keeps a batch, all or none, in one round trip; the rollups of its hours and days are stale from the same moment on. Answers what of it
    /// was new, and the greatest number in the series.
    ///
    /// Throws `VitalsError.noSuchDevice` unless the device is the person's and active, and `.seriesHasAnotherUnit`.
    func append(
        _ samples: [Sample], _ metric: SeriesMetric, of device: DeviceID, _ user: UserID
    ) async throws -> (appended: Appended, lastSequence: Int64) {
        let series = SeriesKey(user: user, device: device, metric: metric.name)
        let last = samples.map(\.sequence.value).max() ?? 0
        let (held, known, insertion) = try await postgres.batch(
            .hold([device.uuid], of: user), .hold(series, metric, reaching: last), .insert(samples, metric, in: series),
            identity: .user(user.uuid))
        guard held.rowsAffected == 1 else { throw VitalsError.noSuchDevice }
        guard let known = try known.first(), let appended = try insertion.first() else { throw VitalsError.seriesHasAnotherUnit }
        return (appended, known.value)
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

extension Statement<SampleRepository.Appended> {
    /// Nothing, and no row, unless the device is there, and active if it has to be, and the series has the metric's unit. In the order of the key,
    /// so that two replays of one batch wait for each other and never in a ring.
    static func insert(_ samples: [Sample], _ metric: SeriesMetric, in series: SeriesKey, isActive: Bool = true) -> Self {
        let (user, device) = (series.user.uuid, series.device.uuid)
        // A first revision is never higher than what is there, and then what is there need not be looked at or held.
        let corrects = samples.contains { $0.revision > 0 }
        let unlessThere: Query = corrects
            ? "DO UPDATE SET value = excluded.value, revision = excluded.revision WHERE excluded.revision > known.revision" : "DO NOTHING"
        let corrected: Query = corrects
            ? """
            count(*) FILTER (WHERE EXISTS (
                SELECT FROM vitals.device_timeseries t
                WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(series.metric.text)
                  AND t."timestamp" = n.at AND t.sequence = n.sequence AND t.revision < n.revision))
            """ : "0::bigint"
        return .writing(
            """
            WITH allowed AS (
                SELECT FROM vitals.device_series s JOIN vitals.user_devices d ON d.user_id = s.user_id AND d.id = s.device_id
                WHERE s.user_id = \(user) AND s.device_id = \(device) AND s.metric_type = \(series.metric.text)
                  AND (d.is_active OR NOT \(isActive))
                  AND s.unit IS NOT DISTINCT FROM \(metric.unit?.text)
            ), n AS MATERIALIZED (
                SELECT DISTINCT ON (n.at, n.sequence) n.at, n.sequence, n.value, n.revision
                FROM unnest(\(samples.map(\.at)), \(samples.map(\.sequence.value)), \(samples.map(\.value)), \(samples.map(\.revision)))
                     AS n (at, sequence, value, revision)
                WHERE EXISTS (SELECT FROM allowed)
                ORDER BY n.at, n.sequence, n.revision DESC
            ), kept AS (
                INSERT INTO vitals.device_timeseries AS known (user_id, device_id, metric_type, "timestamp", sequence, value, revision)
                SELECT \(user), \(device), \(series.metric.text), n.at, n.sequence, n.value, n.revision FROM n ORDER BY n.at, n.sequence
                ON CONFLICT (user_id, device_id, metric_type, "timestamp", sequence) \(unlessThere)
                RETURNING 1
            ), corrected AS (
                SELECT \(corrected) AS count FROM n
            )
            SELECT (SELECT count(*) FROM kept) - c.count AS new_count, c.count AS corrected_count
            FROM corrected c WHERE EXISTS (SELECT FROM allowed)
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
            SELECT "timestamp", sequence, value, revision FROM vitals.device_timeseries
            WHERE user_id = \(user.uuid) AND device_id = \(device.uuid) AND metric_type = \(metric.text)
              AND "timestamp" >= \(place.at) AND ("timestamp", sequence) > (\(place.at), \(place.sequence))
              AND "timestamp" < \(end)
            ORDER BY "timestamp", sequence LIMIT \(limit)
            """,
            tier: .normal)
    }
}
