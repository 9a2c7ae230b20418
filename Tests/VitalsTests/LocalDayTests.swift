internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `A day where the person was` {
    /// A heart rate at an instant, by a clock so many minutes ahead of UTC.
    private func reading(_ sequence: Int, at text: String, offset: Int32 = 0, value: String = "60") throws -> VitalsV1.Observation {
        let instant: Instant = try #require(Instant(rfc3339: text))
        return VitalsV1.Observation(
            code: "8867-4", quantity: .init(value: value, unit: "/min"), effectiveAt: .init(instant), utcOffsetMinutes: offset, source: "watch",
            sequence: Int64(sequence))
    }

    @Test func `has 23 hours of readings, or 25, and none is on two days or on none`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let begin: Instant = try #require(Instant(rfc3339: "2025-03-28T23:00:00Z"))
            let readings = (0..<(3 * 48)).map { number in
                VitalsV1.Observation(
                    code: "8867-4", quantity: .init(value: "\(60 + number)", unit: "/min"), effectiveAt: .init(begin + .seconds(1_800 * number)),
                    source: "watch", sequence: Int64(number))
            }
            try await vitals.record(readings, as: ada)

            let days = try await vitals.listDailySummaries(
                .init(code: "8867-4", firstDate: "2025-03-28", lastDate: "2025-04-01", timeZone: "Europe/Berlin"), context: ada.context
            ).days

            #expect(days.map(\.date) == ["2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31", "2025-04-01"])
            #expect(days.map(\.minutes) == [1_440, 1_440, 1_380, 1_440, 1_440])
            #expect(days.map(\.count) == [0, 48, 46, 48, 2])
            #expect(days[2].least?.value == "108")
            #expect(days[2].greatest?.value == "153")
            #expect(days[2].mean?.value == "130.50")
            let listed = try await vitals.all(.init(code: "8867-4", localDate: "2025-03-30", timeZone: "Europe/Berlin"), as: ada)
            #expect(listed.count == 46)
            let autumn = try await vitals.listDailySummaries(
                .init(code: "8867-4", firstDate: "2025-10-26", lastDate: "2025-10-26", timeZone: "Europe/Berlin"), context: ada.context
            ).days
            #expect(autumn.map(\.minutes) == [1_500])
        }
    }

    @Test func `has of each segment the readings of the source that is ranked first there`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            func steps(_ source: String, _ minutes: Int, _ value: String) throws -> VitalsV1.Observation {
                let morning: Instant = try #require(Instant(rfc3339: "2026-02-21T08:00:00Z"))
                return VitalsV1.Observation(
                    code: "55423-8", quantity: .init(value: value, unit: "1"), effectiveAt: .init(morning + .seconds(60 * minutes)), source: source,
                    sequence: Int64(minutes))
            }
            try await vitals.record(
                [
                    steps("watch", 10, "100"), steps("phone", 20, "140"), steps("watch", 50, "50"), steps("phone", 80, "200"),
                    steps("watch", 130, "300"),
                ], as: ada)
            func day(_ minutes: Int32 = 0, _ ranking: [String] = []) async throws -> VitalsV1.DailySummary {
                let days = try await vitals.listDailySummaries(
                    .init(code: "55423-8", firstDate: "2026-02-21", lastDate: "2026-02-21", segmentMinutes: minutes, sourceRanking: ranking),
                    context: ada.context
                ).days
                return try #require(days.first)
            }

            let (all, byWatch, byPhone) = (try await day(), try await day(60, ["watch", "phone"]), try await day(60, ["phone"]))

            #expect(all.count == 5 && all.total?.value == "790" && all.sources.isEmpty)
            #expect(byWatch.count == 4 && byWatch.total?.value == "650")
            #expect(byWatch.sources == [.init(source: "watch", count: 3), .init(source: "phone", count: 1)])
            #expect(byPhone.count == 3 && byPhone.total?.value == "640")
            #expect(byPhone.sources == [.init(source: "phone", count: 2), .init(source: "watch", count: 1)])
            #expect(try await day(1_440, ["phone"]).total?.value == "340")
            // Nobody is ranked: by their names.
            #expect(try await day(60) == byPhone)
            await expect(.invalidArgument, fields: ["segment_minutes"]) { try await day(1_441) }
            await expect(.invalidArgument, fields: ["source_ranking", "source_ranking[0]"]) { try await day(0, ["a watch"]) }
        }
    }

    @Test func `is by each reading's own clock on a flight`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            // From Tokyo to San Francisco over the date line: the 10th twice, by other clocks.
            try await vitals.record(
                [
                    reading(1, at: "2026-01-10T01:00:00Z", offset: 540), reading(2, at: "2026-01-10T14:59:00Z", offset: 540),
                    reading(3, at: "2026-01-10T15:01:00Z", offset: 540), reading(4, at: "2026-01-10T20:00:00Z", offset: -480),
                    reading(5, at: "2026-01-11T07:59:00Z", offset: -480), reading(6, at: "2026-01-11T08:00:00Z", offset: -480),
                ], as: ada)

            let tenth = try await vitals.all(.init(code: "8867-4", pageSize: 2, localDate: "2026-01-10"), as: ada)
            let days = try await vitals.listDailySummaries(
                .init(code: "8867-4", firstDate: "2026-01-09", lastDate: "2026-01-12"), context: ada.context
            ).days

            #expect(tenth.map(\.sequence) == [5, 4, 2, 1])
            #expect(days.map(\.count) == [0, 4, 2, 0])
            #expect(days.map(\.minutes) == [0, 0, 0, 0])
        }
    }

    @Test func `is summed up in one unit, whatever units its readings have, and in parts of compound ones`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            func pressure(_ sequence: Int, _ systolic: String, _ unit: String) -> VitalsV1.Observation {
                var reading = VitalsV1.Observation.bloodPressure(systolic, "10", sequence: Int64(sequence))
                for part in reading.components.indices { reading.components[part].quantity?.unit = unit }
                return reading
            }
            try await vitals.record([pressure(1, "120", "mm[Hg]"), pressure(2, "16.0", "kPa"), pressure(3, "141", "mm[Hg]")], as: ada)
            func days(_ unit: String) async throws -> [VitalsV1.DailySummary] {
                try await vitals.listDailySummaries(
                    .init(code: "85354-9", componentCode: "8480-6", firstDate: "2026-02-21", lastDate: "2026-02-21", unit: unit),
                    context: ada.context
                ).days
            }

            let day = try #require(try await days("mm[Hg]").first)

            #expect(day.count == 3)
            #expect(day.least == .init(value: "120", unit: "mm[Hg]"))
            #expect(day.greatest == .init(value: "141", unit: "mm[Hg]"))
            // 16 kPa are 120.01020… mm[Hg].
            #expect(day.mean == .init(value: "127.003", unit: "mm[Hg]"))
            #expect(try await days("").first?.mean?.unit != nil)
            await expect(.invalidArgument, fields: ["unit"]) { try await days("kg") }
        }
    }

    @Test(arguments: [
        ("2026-02-30", "2026-03-01", "", ["first_date"]), ("2026-03-01", "yesterday", "", ["last_date"]),
        ("2026-03-02", "2026-03-01", "", ["last_date"]), ("2025-03-01", "2026-03-02", "", ["last_date"]),
        ("2026-03-01", "2026-03-01", "Mars/Olympus", ["time_zone"]), ("2026-03-01", "2026-03-01", "../../etc/passwd", ["time_zone"]),
    ])
    func `has to be one`(first: String, last: String, zone: String, fields: [String]) async throws {
        try await withVitals { vitals in
            await expect(.invalidArgument, fields: Set(fields)) {
                try await vitals.listDailySummaries(
                    .init(code: "8867-4", firstDate: first, lastDate: last, timeZone: zone), context: Caller().context)
            }
        }
    }

    @Test func `goes with no other period, and a zone with a day`() async throws {
        try await withVitals { vitals in
            await expect(.invalidArgument, fields: ["start_at"]) {
                try await vitals.listObservations(
                    .init(code: "8867-4", startAt: .init(morning), localDate: "2026-02-21"), context: Caller().context)
            }
            await expect(.invalidArgument, fields: ["time_zone"]) {
                try await vitals.listObservations(.init(code: "8867-4", timeZone: "Europe/Berlin"), context: Caller().context)
            }
        }
    }

    private struct Offset: RowDecodable {
        let name: String
        let at: Instant
        let seconds: Int64

        init(row: Row) throws(PostgresError) {
            name = try row.decode("name")
            at = try row.decode("at")
            seconds = try row.decode("seconds")
        }
    }

    /// PostgreSQL reads the same files by a program of its own.
    @Test(arguments: [Int64.random(in: 0...Int64.max / 2)])
    func `is where PostgreSQL has it, in every zone at any time`(seed: Int64) async throws {
        try await withVitals { _, postgres in
            let offsets = try await postgres.rows(
                """
                SELECT z.name, t.at, extract(epoch FROM (t.at AT TIME ZONE z.name) - (t.at AT TIME ZONE 'UTC'))::bigint AS seconds
                FROM pg_timezone_names z
                CROSS JOIN LATERAL (
                    SELECT to_timestamp(-2000000000 + (abs(hashtextextended(z.name || n, \(seed))) % 6000000000)) AS at FROM generate_series(1, 60) AS n
                ) AS t
                -- Names that are abbreviations too, such as CET, are taken for those, which know no summer.
                WHERE z.name NOT LIKE 'posix%' AND z.name NOT IN (SELECT abbrev FROM pg_timezone_abbrevs)
                """, as: Offset.self, tier: .slow, mode: .readOnly)

            var compared = 0
            for offset in offsets {
                guard let zone = TimeZoneDatabase.system.zone(offset.name) else { continue }
                compared += 1
                #expect(zone.offset(at: offset.at) == offset.seconds, "\(offset.name) at \(offset.at.rfc3339)")
            }
            #expect(compared > 10_000)
        }
    }
}

@Suite struct `A reading in a wished unit` {
    @Test func `has its value in it too, beside the one that was recorded`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            try await vitals.record([.glucose("97"), .bloodPressure("120", "80")], as: ada)

            let glucose = try await vitals.listObservations(.init(code: "99504-3", unit: "mmol/L"), context: ada.context).observations
            let latest = try await vitals.getLatestObservations(.init(units: ["kPa", "mmol/L"]), context: ada.context).observations

            #expect(glucose.map(\.quantity) == [.init(value: "97", unit: "mg/dL")])
            #expect(glucose.map(\.converted) == [.init(value: "5.38", unit: "mmol/L")])
            #expect(latest.map(\.converted) == [nil, .init(value: "5.38", unit: "mmol/L")])
            #expect(latest[0].components.map(\.converted?.value) == ["16.0", "10.7"])
            #expect(latest[0].components.map(\.quantity?.value) == ["120", "80"])
        }
    }

    @Test func `is refused for a unit that it cannot have`() async throws {
        try await withVitals { vitals in
            for unit in ["kg", "mg/", "mmol"] {
                await expect(.invalidArgument, fields: ["unit"]) {
                    try await vitals.listObservations(.init(code: "99504-3", unit: unit), context: Caller().context)
                }
            }
            await expect(.invalidArgument, fields: ["units[1]"]) {
                try await vitals.getLatestObservations(.init(units: ["kg", "k g"]), context: Caller().context)
            }
        }
    }
}
