internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `A schedule` {
    private func zone(_ name: String) throws -> LocalTime { try #require(TimeZoneDatabase.system.zone(name)) }
    private func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
    private func time(_ hour: Int, _ minute: Int = 0) -> MedicationSchedule.TimeOfDay { .init(minutes: hour * 60 + minute) }

    private func doses(
        _ plan: MedicationSchedule.Plan, _ name: String = "Europe/Berlin", from first: String, through last: String? = nil, _ start: String,
        _ end: String
    ) throws -> [String] {
        let schedule = MedicationSchedule(zone: name, plan: plan)
        let begin: Instant = try #require(Instant(rfc3339: start))
        let period = try Period(start: begin, end: Instant(rfc3339: end))
        let days = MedicationSchedule.Days(first: try day(first), last: try last.map(day))
        return schedule.doses(in: period, on: days, by: try zone(name)).map(\.rfc3339)
    }

    @Test func `is by the clocks of its place, before and after they are put forward`() throws {
        let doses = try doses(
            .timesOfDay([time(2, 30), time(20)], .everyDay), from: "2026-03-01", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z")

        #expect(doses == [
            "2026-03-28T01:30:00Z", "2026-03-28T19:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T18:00:00Z", "2026-03-30T00:30:00Z",
            "2026-03-30T18:00:00Z",
        ])
    }

    @Test func `has a dose once at a time that clocks show twice`() throws {
        let doses = try doses(.timesOfDay([time(2, 30)], .everyDay), from: "2026-10-01", "2026-10-24T22:00:00Z", "2026-10-26T22:00:00Z")

        #expect(doses == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
    }

    @Test func `gives nobody two doses at one instant`() throws {
        let doses = try doses(
            .timesOfDay([time(2, 15), time(2, 45), time(3)], .everyDay), from: "2026-03-01", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")

        #expect(doses == ["2026-03-29T01:00:00Z"])
    }

    @Test func `is every so many hours, whatever clocks do`() throws {
        let doses = try doses(.everyHours(8, first: time(6)), from: "2026-03-28", through: "2026-03-29", "2026-03-01T00:00:00Z", "2026-04-02T00:00:00Z")

        #expect(doses == [
            "2026-03-28T05:00:00Z", "2026-03-28T13:00:00Z", "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z", "2026-03-29T13:00:00Z",
            "2026-03-29T21:00:00Z",
        ])
    }

    @Test func `is on some days of the week, or every so many days`() throws {
        let weekly = try doses(
            .timesOfDay([time(8)], .weekdays([1, 7])), "UTC", from: "2026-03-01", through: "2026-03-09", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
        let third = try doses(
            .timesOfDay([time(8)], .interval(3)), "UTC", from: "2026-03-01", through: "2026-03-09", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")

        #expect(weekly.map { $0.prefix(10) } == ["2026-03-01", "2026-03-02", "2026-03-08", "2026-03-09"])
        #expect(third.map { $0.prefix(10) } == ["2026-03-01", "2026-03-04", "2026-03-07"])
    }

    @Test func `as needed is due at no time`() throws {
        #expect(try doses(.asNeeded, from: "2026-03-01", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z").isEmpty)
    }

    /// Three times far from each other are three doses on each day of some years, in any place; and a period cut anywhere gives the same doses.
    @Test(arguments: [UInt64.random(in: .min ... .max)])
    func `has as many doses a day as it says, and loses none where a period is cut`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let names = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "UTC"]
        for name in names {
            let clocks = try zone(name)
            let schedule = MedicationSchedule(
                zone: name, plan: .timesOfDay([time(0, Int.random(in: 0...59, using: &random)), time(2, 30), time(12), time(23, 50)], .everyDay))
            let first = CivilDate(year: 2017, month: 1, day: 1)
            let days = MedicationSchedule.Days(first: first, last: nil)
            let end = CivilDate(year: 2028, month: 1, day: 1)
            let whole = try Period(start: clocks.instant(of: first), end: clocks.instant(of: end))

            let doses = schedule.doses(in: whole, on: days, by: clocks)

            let byDay = Dictionary(grouping: doses) { clocks.date(at: $0) }
            #expect(byDay.count == Int(end.daysSinceEpoch - first.daysSinceEpoch))
            #expect(byDay.values.allSatisfy { $0.count == 4 }, "\(name), seed \(seed)")
            var cut: [Instant] = []
            var start = whole.start
            while start < whole.end {
                let next = min(whole.end, start + .seconds(Int64.random(in: 1...3_000_000, using: &random)))
                cut += schedule.doses(in: try Period(start: start, end: next), on: days, by: clocks)
                start = next
            }
            #expect(cut == doses, "\(name), seed \(seed)")
        }
    }
}
