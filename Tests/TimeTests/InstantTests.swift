import Testing
@testable import Time

@Suite struct `An instant` {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
        (1_771_662_600_123_000, "2026-02-21T08:30:00.123Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
    ] as [(Int64, String)])
    func `is written and read as RFC 3339`(microseconds: Int64, text: String) {
        let instant = Instant(microsecondsSinceEpoch: microseconds)

        #expect(instant.rfc3339 == text)
        #expect(Instant(rfc3339: text) == instant)
    }

    @Test(arguments: [
        ("2026-02-21T09:30:00+01:00", "2026-02-21T08:30:00Z"),
        ("2026-02-21t08:30:00.1234567z", "2026-02-21T08:30:00.123456Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00-00:30", "2026-01-01T00:30:00Z"),
    ])
    func `is read with any offset`(text: String, utc: String) throws {
        let instant = try #require(Instant(rfc3339: text))

        #expect(instant.rfc3339 == utc)
    }

    @Test(arguments: [
        "", "2026-02-21", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-21T24:00:00Z", "2026-02-21T08:30:00",
        "2026-02-21T08:30:00.Z", "2026-02-21T08:30:00Zx", "2026-02-21T08:30:00+1:00", "２026-02-21T08:30:00Z",
    ])
    func `is not read from anything else`(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test func `moves by durations and gives them back`() {
        let start = Instant(microsecondsSinceEpoch: 1_000)

        let later = start + .milliseconds(5)

        #expect(later - start == .milliseconds(5))
        #expect(later - .milliseconds(5) == start)
        #expect(start < later)
    }

    @Test func `stops at the ends of its range`() {
        #expect(Instant(microsecondsSinceEpoch: .max) + .seconds(1) == Instant(microsecondsSinceEpoch: .max))
        #expect(Instant(microsecondsSinceEpoch: .min) - .seconds(1) == Instant(microsecondsSinceEpoch: .min))
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, 1, .max]) func `can always be printed`(microseconds: Int64) {
        #expect(!Instant(microsecondsSinceEpoch: microseconds).rfc3339.isEmpty)
    }
}

@Suite struct `A civil date` {
    @Test func `counts every day of four centuries in order`() {
        var previous = CivilDate(year: 1799, month: 12, day: 31)
        var wrong: [CivilDate] = []

        for day in previous.daysSinceEpoch + 1...CivilDate(year: 2200, month: 1, day: 1).daysSinceEpoch {
            let date = CivilDate(daysSinceEpoch: day)
            if date <= previous || date.daysSinceEpoch != day { wrong.append(date) }
            previous = date
        }

        #expect(wrong == [])
        #expect(previous == CivilDate(year: 2200, month: 1, day: 1))
    }

    @Test(arguments: ["2026-02-29", "2026-00-10", "2026-1-01", "-026-01-01", "2026-01-+1"])
    func `refuses a day that does not exist`(text: String) {
        #expect(CivilDate(text) == nil)
    }
}
