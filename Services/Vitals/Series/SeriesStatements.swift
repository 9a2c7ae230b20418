internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

extension SeriesBucket: RowDecodable {
    init(row: Row) throws(PostgresError) {
        index = Int(try row.decode("bucket", as: Int32.self)) - 1
        count = try row.decode("sample_count")
        least = try row.decode("least")
        greatest = try row.decode("greatest")
        mean = try row.decode("mean")
        last = try Sample(row: row)
    }
}

extension DeviceSeries: RowDecodable {
    init(row: Row) throws(PostgresError) {
        metric = SeriesMetric(
            name: MetricName(stored: try row.decode("metric_type")),
            code: try row.decode("code", as: String?.self).map { LOINCCode(stored: $0) },
            unit: try row.decode("unit", as: String?.self).map { UCUMUnit(stored: $0) })
        lastSequence = try row.decode("last_sequence")
        createdAt = try row.decode("created_at")
    }
}

/// An hour or a day of a series whose rollup is held to be made anew.
struct StaleRollup: Hashable, Sendable, RowDecodable {
    let hours: Int16
    let startsAt: Instant

    init(row: Row) throws(PostgresError) {
        hours = try row.decode("hours")
        startsAt = try row.decode("starts_at")
    }

    init(hours: Int16, startsAt: Instant) { (self.hours, self.startsAt) = (hours, startsAt) }
}

extension Statement<Scalar<Int64>> {
    /// Makes the series unless it is there, and holds it until the commit. The greatest number that it has then; no row unless the device is
    /// there, and active if it has to be, and the series has the metric's unit.
    static func hold(_ series: SeriesKey, _ metric: SeriesMetric, reaching sequence: Int64, isActive: Bool = true) -> Self {
        .writing(
            """
            INSERT INTO vitals.device_series AS known (user_id, device_id, metric_type, code, unit, last_sequence)
            SELECT d.user_id, d.id, \(series.metric.text), \(metric.code?.text), \(metric.unit?.text), \(sequence) FROM vitals.user_devices d
            WHERE d.user_id = \(series.user.uuid) AND d.id = \(series.device.uuid) AND (d.is_active OR NOT \(isActive))
            ON CONFLICT (user_id, device_id, metric_type) DO UPDATE SET last_sequence = greatest(known.last_sequence, excluded.last_sequence)
            WHERE known.unit IS NOT DISTINCT FROM excluded.unit
            RETURNING last_sequence
            """)
    }
}

extension Statement<DeviceSeries> {
    static func series(of device: DeviceID, _ user: UserID, behind metric: String, limit: Int) -> Self {
        .reading(
            """
            SELECT metric_type, code, unit, last_sequence, created_at FROM vitals.device_series
            WHERE user_id = \(user.uuid) AND device_id = \(device.uuid) AND metric_type > \(metric) ORDER BY metric_type LIMIT \(limit)
            """)
    }
}

extension Statement<Scalar<Instant>> {
    /// When the first hour begins that has samples and ends after an instant.
    static func firstHour(of series: SeriesKey, endingAfter instant: Instant, before end: Instant) -> Self {
        .reading(
            """
            SELECT starts_at FROM vitals.device_rollups
            WHERE user_id = \(series.user.uuid) AND device_id = \(series.device.uuid) AND metric_type = \(series.metric.text) AND hours = 1
              AND starts_at > \(instant - .seconds(3_600)) AND starts_at < \(end)
            ORDER BY starts_at LIMIT 1
            """)
    }
}

extension Statement<SeriesBucket> {
    /// What the samples between each two neighbours of the bounds were, for those that have some. It is one statement, and so of one moment: a
    /// rollup counts unless it is stale at that moment or lies in two buckets, and then the samples themselves do. A sample becomes a decimal of 15 digits
    /// in the sum, so the mean of the greatest numbers there are may be beyond them.
    static func buckets(between bounds: [Instant], of series: SeriesKey) -> Self {
        let (user, device, metric) = (series.user.uuid, series.device.uuid, series.metric.text)
        let (start, end) = (bounds.first ?? .now(), bounds.last ?? .now())
        return .reading(
            """
            WITH day AS MATERIALIZED (
                SELECT r.starts_at, width_bucket(r.starts_at, \(bounds)) AS bucket, r.sample_count, r.total, r.least, r.greatest, r.last_at
                FROM vitals.device_rollups r
                WHERE r.user_id = \(user) AND r.device_id = \(device) AND r.metric_type = \(metric) AND r.hours = 24 AND NOT r.is_stale
                  AND r.starts_at >= \(start) AND r.starts_at <= \(end - .seconds(86_400))
                  AND width_bucket(r.starts_at, \(bounds)) = width_bucket(r.starts_at + interval '24 hours' - interval '1 microsecond', \(bounds))
            ), hour AS MATERIALIZED (
                SELECT r.starts_at, width_bucket(r.starts_at, \(bounds)) AS bucket, r.sample_count, r.total, r.least, r.greatest, r.last_at,
                       NOT r.is_stale AND r.starts_at >= \(start) AND r.starts_at <= \(end - .seconds(3_600))
                       AND width_bucket(r.starts_at, \(bounds))
                           = width_bucket(r.starts_at + interval '1 hour' - interval '1 microsecond', \(bounds)) AS counts
                FROM vitals.device_rollups r
                WHERE r.user_id = \(user) AND r.device_id = \(device) AND r.metric_type = \(metric) AND r.hours = 1
                  AND r.starts_at > \(start - .seconds(3_600)) AND r.starts_at < \(end)
                  AND NOT EXISTS (SELECT FROM day d WHERE d.starts_at = date_bin('24 hours', r.starts_at, timestamptz '1970-01-01 00:00:00+00'))
            ), part AS (
                SELECT bucket, sample_count, total, least, greatest, last_at FROM day
                UNION ALL
                SELECT bucket, sample_count, total, least, greatest, last_at FROM hour WHERE counts
                UNION ALL
                SELECT s.bucket, s.sample_count, s.total, s.least, s.greatest, s.last_at FROM hour h CROSS JOIN LATERAL (
                    SELECT width_bucket(t."timestamp", \(bounds)) AS bucket, count(*) AS sample_count, sum(t.value::numeric) AS total,
                           min(t.value) AS least, max(t.value) AS greatest, max(t."timestamp") AS last_at
                    FROM vitals.device_timeseries t
                    WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(metric)
                      AND t."timestamp" >= greatest(h.starts_at, \(start)) AND t."timestamp" < least(h.starts_at + interval '1 hour', \(end))
                    GROUP BY 1
                ) s WHERE NOT h.counts
            ), bucket AS (
                SELECT bucket, sum(sample_count)::bigint AS sample_count,
                       least(greatest(sum(total) / sum(sample_count), -1.7976931348623157e308), 1.7976931348623157e308)::double precision AS mean,
                       min(least) AS least, max(greatest) AS greatest, max(last_at) AS last_at
                FROM part WHERE sample_count > 0 GROUP BY bucket
            )
            SELECT b.bucket, b.sample_count, b.mean, b.least, b.greatest, l."timestamp", l.sequence, l.value, l.revision
            FROM bucket b CROSS JOIN LATERAL (
                SELECT t."timestamp", t.sequence, t.value, t.revision FROM vitals.device_timeseries t
                WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(metric) AND t."timestamp" = b.last_at
                ORDER BY t.sequence DESC LIMIT 1
            ) l ORDER BY b.bucket
            """,
            tier: .normal)
    }
}

extension Statement<Sample> {
    /// The first of the least and the last of the greatest samples between each two neighbours of the bounds, in the order of samples. As with
    /// `buckets`, an hour's rollup counts unless it is stale or lies in two spans, and then its samples do. A value stands in an array with its instant,
    /// by which values that are equal are told apart; `date_part` has microseconds for the next 200 years.
    static func extremes(between bounds: [Instant], of series: SeriesKey) -> Self {
        let (user, device, metric) = (series.user.uuid, series.device.uuid, series.metric.text)
        let (start, end) = (bounds.first ?? .now(), bounds.last ?? .now())
        return .reading(
            """
            WITH hour AS MATERIALIZED (
                SELECT r.starts_at, width_bucket(r.starts_at, \(bounds)) AS span, ARRAY[r.least, date_part('epoch', r.least_at)] AS low,
                       ARRAY[r.greatest, date_part('epoch', r.greatest_at)] AS high,
                       NOT r.is_stale AND r.least_at IS NOT NULL AND r.starts_at >= \(start) AND r.starts_at <= \(end - .seconds(3_600))
                       AND width_bucket(r.starts_at, \(bounds))
                           = width_bucket(r.starts_at + interval '1 hour' - interval '1 microsecond', \(bounds)) AS counts
                FROM vitals.device_rollups r
                WHERE r.user_id = \(user) AND r.device_id = \(device) AND r.metric_type = \(metric) AND r.hours = 1
                  AND r.starts_at > \(start - .seconds(3_600)) AND r.starts_at < \(end)
            ), part AS (
                SELECT span, low, high FROM hour WHERE counts
                UNION ALL
                SELECT s.span, s.low, s.high FROM hour h CROSS JOIN LATERAL (
                    SELECT width_bucket(t."timestamp", \(bounds)) AS span, min(ARRAY[t.value, date_part('epoch', t."timestamp")]) AS low,
                           max(ARRAY[t.value, date_part('epoch', t."timestamp")]) AS high
                    FROM vitals.device_timeseries t
                    WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(metric)
                      AND t."timestamp" >= greatest(h.starts_at, \(start)) AND t."timestamp" < least(h.starts_at + interval '1 hour', \(end))
                    GROUP BY 1
                ) s WHERE NOT h.counts
            ), extreme AS (
                SELECT min(low) AS sample FROM part GROUP BY span UNION SELECT max(high) FROM part GROUP BY span
            )
            SELECT s."timestamp", s.sequence, s.value, s.revision
            FROM extreme e CROSS JOIN LATERAL (
                SELECT t."timestamp", t.sequence, t.value, t.revision FROM vitals.device_timeseries t
                WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(metric)
                  AND t."timestamp" = to_timestamp(e.sample[2]) AND t.value = e.sample[1]
                ORDER BY t.sequence LIMIT 1
            ) s ORDER BY s."timestamp", s.sequence
            """,
            tier: .normal)
    }
}

extension Statement<StaleRollup> {
    /// Holds rollups that touch a period until the commit that are stale or do not know when their least and greatest samples were, hours before
    /// days; those that somebody else holds are passed over.
    static func holdStale(of series: SeriesKey, from start: Instant, before end: Instant, limit: Int) -> Self {
        .writing(
            """
            SELECT hours, starts_at FROM vitals.device_rollups
            WHERE user_id = \(series.user.uuid) AND device_id = \(series.device.uuid) AND metric_type = \(series.metric.text)
              AND (is_stale OR (hours = 1 AND least_at IS NULL AND sample_count > 0))
              AND starts_at > \(start - .seconds(86_400)) AND starts_at < \(end)
            ORDER BY hours, starts_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
            """)
    }
}

extension Statement<Void> {
    /// Rolls hours up from their samples. Who adds to one waits until the commit.
    static func rollUp(hours: [Instant], of series: SeriesKey) -> Self {
        let (user, device, metric) = (series.user.uuid, series.device.uuid, series.metric.text)
        return .writing(
            """
            UPDATE vitals.device_rollups r SET
                is_stale = false, sample_count = s.sample_count, total = s.total, least = s.low[1], greatest = s.high[1], last_at = s.last_at,
                least_at = to_timestamp(s.low[2]), greatest_at = to_timestamp(s.high[2])
            FROM unnest(\(hours)) AS h (starts_at) CROSS JOIN LATERAL (
                SELECT count(*) AS sample_count, sum(t.value::numeric) AS total, min(ARRAY[t.value, date_part('epoch', t."timestamp")]) AS low,
                       max(ARRAY[t.value, date_part('epoch', t."timestamp")]) AS high, max(t."timestamp") AS last_at
                FROM vitals.device_timeseries t
                WHERE t.user_id = \(user) AND t.device_id = \(device) AND t.metric_type = \(metric)
                  AND t."timestamp" >= h.starts_at AND t."timestamp" < h.starts_at + interval '1 hour'
            ) s
            WHERE r.user_id = \(user) AND r.device_id = \(device) AND r.metric_type = \(metric) AND r.hours = 1 AND r.starts_at = h.starts_at
            """,
            tier: .normal)
    }

    /// Rolls days up from their hours, those of which no hour is stale.
    static func rollUp(days: [Instant], of series: SeriesKey) -> Self {
        let (user, device, metric) = (series.user.uuid, series.device.uuid, series.metric.text)
        return .writing(
            """
            UPDATE vitals.device_rollups r SET
                is_stale = false, sample_count = s.sample_count, total = s.total, least = s.least, greatest = s.greatest, last_at = s.last_at
            FROM unnest(\(days)) AS d (starts_at) CROSS JOIN LATERAL (
                SELECT sum(h.sample_count)::bigint AS sample_count, sum(h.total) AS total, min(h.least) AS least, max(h.greatest) AS greatest,
                       max(h.last_at) AS last_at
                FROM vitals.device_rollups h
                WHERE h.user_id = \(user) AND h.device_id = \(device) AND h.metric_type = \(metric) AND h.hours = 1
                  AND h.starts_at >= d.starts_at AND h.starts_at < d.starts_at + interval '24 hours'
                HAVING NOT bool_or(h.is_stale)
            ) s
            WHERE r.user_id = \(user) AND r.device_id = \(device) AND r.metric_type = \(metric) AND r.hours = 24 AND r.starts_at = d.starts_at
            """,
            tier: .normal)
    }
}
