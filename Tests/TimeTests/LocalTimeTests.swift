internal import FoundationEssentials
internal import Testing

@testable internal import Time

@Suite struct `Local time` {
    private static func zone(_ name: String) throws -> LocalTime { try #require(TimeZoneDatabase.system.zone(name)) }

    private func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

    /// A place, a day there and how many hours it had.
    private static let days: [(String, String, Int)] = [
        ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Europe/Berlin", "2026-06-01", 24),
        ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25), ("Asia/Kathmandu", "2026-03-29", 24),
        // Clocks were put forward at midnight, and by a whole day.
        ("America/Sao_Paulo", "2018-11-04", 23), ("Pacific/Apia", "2011-12-30", 0), ("Pacific/Apia", "2011-12-29", 24),
        // Beyond the changes that a file lists, by its rule.
        ("Europe/Berlin", "2126-03-31", 23), ("Australia/Sydney", "2126-04-07", 25), ("UTC", "2026-03-29", 24),
    ]

    @Test(arguments: days)
    func `has days of 23, 24 and 25 hours`(name: String, day: String, hours: Int) throws {
        let zone = try Self.zone(name)
        let day = try date(day)
        let next = CivilDate(daysSinceEpoch: day.daysSinceEpoch + 1)

        #expect(zone.instant(of: next) - zone.instant(of: day) == .seconds(hours * 3_600))
    }

    /// A place, a day there, a minute of that day, and when it was.
    private static let times: [(String, String, Int64, String)] = [
        // Skipped: the moment at which clocks were put forward.
        ("Europe/Berlin", "2026-03-29", 150, "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-29", 120, "2026-03-29T01:00:00Z"), ("Europe/Berlin", "2026-03-29", 180, "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-03-29", 119, "2026-03-29T00:59:00Z"),
        ("America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"),
        // Shown twice: the first time.
        ("Europe/Berlin", "2026-10-25", 150, "2026-10-25T00:30:00Z"), ("Europe/Berlin", "2026-10-25", 180, "2026-10-25T02:00:00Z"),
        ("America/New_York", "2026-11-01", 90, "2026-11-01T05:30:00Z"),
        // Half an hour forward and back.
        ("Australia/Lord_Howe", "2026-10-04", 135, "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "2026-04-05", 105, "2026-04-04T14:45:00Z"), ("UTC", "2026-01-01", 90, "2026-01-01T01:30:00Z"),
    ]

    @Test(arguments: times)
    func `says when clocks showed a time`(name: String, day: String, minute: Int64, instant: String) throws {
        let zone = try Self.zone(name)

        #expect(zone.instant(of: try date(day), second: minute * 60).rfc3339 == instant)
    }

    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran", "Africa/Casablanca", "Pacific/Apia", "UTC"])
    func `is the same there and back, but for what clocks show twice`(name: String) throws {
        let zone = try Self.zone(name)
        // Every 97 minutes for 40 years.
        for step in 0..<(40 * 366 * 15) {
            let instant = Instant(microsecondsSinceEpoch: Int64(step) * 97 * 60_000_000 + 1_000_000_000_000_000)
            let local = instant.microsecondsSinceEpoch / 1_000_000 + zone.offset(at: instant)
            let again = zone.instant(of: zone.date(at: instant), second: local % 86_400)

            #expect(again <= instant)
            if again != instant {
                #expect(again.microsecondsSinceEpoch / 1_000_000 + zone.offset(at: again) == local)
            }
        }
    }

    @Test(arguments: [
        "", "Berlin", "../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "Europe/Berlin\0", "tzdata.zi", "Europe", ".", "right/Europe/Berlin",
    ])
    func `is not known by another name`(name: String) {
        #expect(TimeZoneDatabase.system.zone(name) == nil)
    }

    @Test func `is not read from a file that was cut or damaged, or is read without harm`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin")))

        for count in 0..<bytes.count { #expect(LocalTime(tzif: Array(bytes[..<count])) == nil) }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0xFF
            // Whatever it is read as, it answers.
            _ = LocalTime(tzif: damaged)?.instant(of: CivilDate(year: 2026, month: 3, day: 29), second: 9_000)
        }
    }
}
