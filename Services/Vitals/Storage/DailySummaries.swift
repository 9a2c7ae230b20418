internal import Postgres
internal import Time

extension UnitSummary: RowDecodable {
    init(row: Row) throws(PostgresError) {
        day = Int(try row.decode("day", as: Int32.self)) - 1
        unit = UCUMUnit(stored: try row.decode("unit"))
        count = try row.decode("count")
        least = DecimalNumber(stored: try row.decode("least"))
        greatest = DecimalNumber(stored: try row.decode("greatest"))
        sum = DecimalNumber(stored: try row.decode("sum"))
        newest = try row.decode("newest")
    }
}

extension Statement<UnitSummary> {
    static func summaries(_ code: LOINCCode, _ component: LOINCCode?, on days: LocalDays, of user: UserID) throws -> Self {
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
            SELECT d.day, part.unit, count(*) AS count, min(part.value) AS least, max(part.value) AS greatest, sum(part.value) AS sum,
                   max(v.effective_at) AS newest
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
            GROUP BY d.day, part.unit ORDER BY d.day, part.unit
            """,
            tier: .normal)
    }
}
