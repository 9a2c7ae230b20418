internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `Buckets side by side` {
    private static let zones = ["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]

    @Test func `of local days have 23 and 25 hours where clocks change`() throws {
        let clocks = try #require(TimeZoneDatabase.system.zone("Europe/Berlin"))
        let grid = BucketGrid.days(clocks)
        let spring: Instant = try #require(Instant(rfc3339: "2026-03-29T12:00:00Z"))
        let autumn: Instant = try #require(Instant(rfc3339: "2026-10-25T12:00:00Z"))

        #expect(grid.end(containing: spring) - grid.start(containing: spring) == .seconds(23 * 3_600))
        #expect(grid.end(containing: autumn) - grid.start(containing: autumn) == .seconds(25 * 3_600))
        #expect(grid.start(containing: spring) == Instant(rfc3339: "2026-03-28T23:00:00Z"))
    }

    @Test(arguments: zones)
    func `leave no instant out and have none twice`(zone: String) throws {
        let clocks = try #require(TimeZoneDatabase.system.zone(zone))
        var random = SeededGenerator(seed: 11)
        for grid in [BucketGrid.days(clocks), .fixed(seconds: 7), .fixed(seconds: 900), .fixed(seconds: 7 * 86_400)] {
            for _ in 0..<400 {
                // 1990 to 2035, also before and after the rules that are known.
                let instant = Instant(microsecondsSinceEpoch: Int64.random(in: 631_152_000_000_000...2_051_222_400_000_000, using: &random))
                let (start, end) = (grid.start(containing: instant), grid.end(containing: instant))
                #expect(start <= instant && instant < end)
                #expect(grid.start(containing: end) == end)
                #expect(grid.end(containing: start - .microseconds(1)) == start)
            }
        }
    }

    @Test func `are as many as are asked for, and none begins at the end`() throws {
        let start: Instant = try #require(Instant(rfc3339: "2026-01-01T00:00:30Z"))
        let grid = BucketGrid.fixed(seconds: 60)

        let few = grid.bounds(from: start, before: start + .seconds(86_400), most: 3)
        let ended = grid.bounds(from: start, before: start + .seconds(30), most: 3)

        #expect(few == [-30, 30, 90, 150].map { start + .seconds($0) })
        #expect(ended == [-30, 30].map { start + .seconds($0) })
    }
}
