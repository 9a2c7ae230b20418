internal import Postgres
internal import Time

extension UnitSummary: RowDecodable {
    init(row: Row) throws(PostgresError) {
        day = Int(try row.decode("day", as: Int32.self)) - 1
        unit = UCUMUnit(stored: try row.decode("unit"))
        source = try row.decode("source")
        count = try row.decode("count")
        least = DecimalNumber(stored: try row.decode("least"))
        greatest = DecimalNumber(stored: try row.decode("greatest"))
        sum = DecimalNumber(stored: try row.decode("sum"))
        newest = try row.decode("newest")
    }
}

extension Statement<UnitSummary> {
    /// - Parameter merge: which readings count where several sources have some, told by source; `nil`: all, together.
    static func summaries(
        _ code: LOINCCode, _ component: LOINCCode?, on days: LocalDays, merging merge: SourceMerge? = nil, of user: UserID
    ) throws -> Self {
        let period = try days.period
        // Which of the days it is, from 1.
        let day: Query =
            if days.clocks != nil {
                "width_bucket(v.effective_at, \(days.starts))"
            } else {
                "(v.effective_at AT TIME ZONE 'UTC' + make_interval(mins => v.utc_offset_minutes::int))::date - \(days.first) + 1"
            }
        return .reading(
            """
            SELECT r.day, r.unit, r.source, count(*) AS count, min(r.value) AS least, max(r.value) AS greatest, sum(r.value) AS sum,
                   max(r.effective_at) AS newest
            FROM (
                SELECT d.day, part.unit, part.value, v.effective_at, \(merge.source) AS source, \(merge.first) AS first
                FROM vitals.vitals v
                CROSS JOIN LATERAL (SELECT \(day)) AS d (day)
                CROSS JOIN LATERAL (
                    SELECT v.value, v.unit WHERE \(component?.text)::text IS NULL AND v.value IS NOT NULL
                    UNION ALL
                    SELECT (c.part ->> 'value')::numeric, c.part ->> 'unit' FROM jsonb_array_elements(v.components) AS c (part)
                    WHERE c.part ->> 'code' = \(component?.text)
                ) AS part (value, unit)
                WHERE v.user_id = \(user.uuid) AND v.metric = \(code.text) AND v.effective_at >= \(period.start) AND v.effective_at < \(period.end)
                  AND v.status <> 'entered_in_error' AND d.day BETWEEN 1 AND \(Int32(days.count))
            ) AS r
            WHERE r.source IS NOT DISTINCT FROM r.first
            GROUP BY r.day, r.unit, r.source ORDER BY r.day, r.unit, r.source
            """,
            tier: .normal)
    }
}

extension Optional<SourceMerge> {
    /// What made a reading, as far as it matters.
    fileprivate var source: Query { self == nil ? "NULL::text" : "coalesce(v.device_id::text, v.source)" }

    /// The source whose readings count in the segment of a reading.
    fileprivate var first: Query {
        guard let self else { return "NULL::text" }
        return """
            first_value(coalesce(v.device_id::text, v.source)) OVER (
                PARTITION BY d.day, floor(extract(epoch FROM v.effective_at) / \(self.segmentMinutes * 60)::integer)
                ORDER BY least(array_position(\(self.ranking)::text[], v.device_id::text), array_position(\(self.ranking)::text[], v.source)) NULLS LAST,
                         coalesce(v.device_id::text, v.source) COLLATE "C")
            """
    }
}
