internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

/// What a series should hold, by a dictionary.
private struct ExpectedSeries {
    struct Key: Hashable, Comparable {
        let at: Instant
        let sequence: Int64
        static func < (left: Key, right: Key) -> Bool { (left.at, left.sequence) < (right.at, right.sequence) }
    }

    private(set) var samples: [Key: Sample] = [:]

    /// Answers how many were new, and how many corrected one.
    mutating func append(_ batch: [Sample]) -> (new: Int64, corrected: Int64) {
        let before = samples
        for sample in batch {
            let key = Key(at: sample.at, sequence: sample.sequence.value)
            if let known = samples[key], known.revision >= sample.revision { continue }
            samples[key] = sample
        }
        let new = samples.keys.count { before[$0] == nil }
        return (Int64(new), Int64(samples.count { before[$0.key].map { $0.revision } ?? $0.value.revision < $0.value.revision }))
    }

    func sorted(in period: Period) -> [Sample] {
        samples.filter { $0.key.at >= period.start && $0.key.at < period.end }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// By start: count, least, greatest, mean, last.
    func buckets(_ grid: BucketGrid, in period: Period) -> [Instant: [Double]] {
        Dictionary(grouping: sorted(in: period)) { max(grid.start(containing: $0.at), period.start) }.mapValues { samples in
            let values = samples.map(\.value)
            let count = Double(values.count)
            return [count, values.min() ?? 0, values.max() ?? 0, values.reduce(0, +) / count, values.last ?? 0]
        }
    }
}

@Suite struct `A series` {
    private struct Person {
        let caller = Caller()
        let series: SeriesKey
        let metric: SeriesMetric

        init(_ vitals: VitalsService, _ metric: SeriesMetric? = nil) async throws {
            let watch = try await vitals.registerWatch(for: caller)
            let device = DeviceID(try #require(UUID(uuidString: watch)))
            self.metric = try metric ?? .channel(MetricName("ppg"))
            series = SeriesKey(user: UserID(caller.id), device: device, metric: self.metric.name)
        }
    }

    private static func append(_ samples: [Sample], _ postgres: Postgres, _ person: Person) async throws -> SampleRepository.Appended {
        try await SampleRepository(postgres: postgres).append(samples, person.metric, of: person.series.device, person.series.user).appended
    }

    private static func buckets(_ reader: SeriesReader, _ series: SeriesKey, _ grid: BucketGrid, _ period: Period) async throws -> [Instant: [Double]] {
        var all: [Instant: [Double]] = [:]
        try await reader.buckets(series, grid, in: period) { buckets in
            for (bucket, start, end) in buckets {
                #expect(all[start] == nil)
                #expect(start < end && bucket.last.at >= start && bucket.last.at < end)
                all[start] = [Double(bucket.count), bucket.least, bucket.greatest, bucket.mean, bucket.last.value]
            }
        }
        return all
    }

    /// How many rollups that are not stale say something else than their samples, at one moment.
    private static func wrongRollups(_ postgres: Postgres, _ series: SeriesKey) async throws -> Int64 {
        let query: Query = """
            SELECT count(*) FROM vitals.device_rollups r CROSS JOIN LATERAL (
                SELECT count(*) AS sample_count, sum(t.value::numeric) AS total, min(t.value) AS least, max(t.value) AS greatest, max(t."timestamp") AS last_at
                FROM vitals.device_timeseries t
                WHERE t.user_id = r.user_id AND t.device_id = r.device_id AND t.metric_type = r.metric_type
                  AND t."timestamp" >= r.starts_at AND t."timestamp" < r.starts_at + make_interval(hours => r.hours)
            ) s WHERE r.user_id = \(series.user.uuid) AND NOT r.is_stale
                AND (r.sample_count, r.total, r.least, r.greatest, r.last_at) IS DISTINCT FROM (s.sample_count, s.total, s.least, s.greatest, s.last_at)
            """
        return try #require(try await postgres.first(query, as: Scalar<Int64>.self, identity: .user(series.user.uuid))).value
    }

    /// What a plot is of, by all its samples.
    private static func plotted(_ samples: [Sample], points: Int) throws -> [Sample] {
        guard samples.count > 4 * points, let first = samples.first, let last = samples.last else {
            return LargestTriangles.chosen(points, of: samples)
        }
        let bounds = PlotSpans(from: first.at, through: last.at, points: points).pieces.flatMap { $0 }
        var extremes: Set<Sample> = [first, last]
        for (start, end) in zip(bounds, bounds.dropFirst()) where start < end {
            let span = samples.filter { start <= $0.at && $0.at < end }
            // Of equals the first, and for the greatest the last, of those at one instant the one with the least number.
            let least = span.min { ($0.value, $0.at, $0.sequence.value) < ($1.value, $1.at, $1.sequence.value) }
            let greatest = span.max { ($0.value, $0.at, -$0.sequence.value) < ($1.value, $1.at, -$1.sequence.value) }
            extremes.formUnion([least, greatest].compactMap { $0 })
        }
        return LargestTriangles.chosen(points, of: extremes.sorted())
    }

    private static func close(_ found: [Instant: [Double]], _ expected: [Instant: [Double]]) -> Bool {
        found.count == expected.count
            && expected.allSatisfy { start, values in
                guard let other = found[start] else { return false }
                return zip(values, other).allSatisfy { abs($0 - $1) <= 1e-12 * max(1, abs($0)) }
            }
    }

    /// Around a change of clocks, so that days have 23 hours, and over the end of a month, which is that of a partition.
    private static let begin = Instant(microsecondsSinceEpoch: 1_774_656_000_000_000)  // 2026-03-28T00:00:00Z

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `is read as all its samples make it, whatever came late, twice, corrected or in another order`(seed: UInt64) async throws {
        try await withVitals { vitals, postgres in
            let ada = try await Person(vitals)
            let reader = SeriesReader(postgres: postgres)
            let zones = try ["Europe/Berlin", "Asia/Kathmandu"].map { try #require(TimeZoneDatabase.system.zone($0)) }
            let grids: [BucketGrid] = zones.map { .days($0) } + [60, 900, 3_600, 5_400, 21_600, 86_400, 604_800].map { .fixed(seconds: $0) }
            var random = SeededGenerator(seed: seed)
            var expected = ExpectedSeries()
            var sent: [[Sample]] = []
            func instant() -> Instant { Self.begin + .milliseconds(Int64.random(in: 0..<(6 * 86_400_000), using: &random)) }

            for round in 0..<30 {
                var batch: [Sample] = []
                // What is new, at one of few instants so that some share theirs, or corrects what there is.
                let near = instant()
                for _ in 0..<Int.random(in: 1...60, using: &random) {
                    let at = Bool.random(using: &random) ? near + .seconds(Int64.random(in: 0...30, using: &random)) : instant()
                    batch.append(
                        Sample(
                            at: at, sequence: SequenceNumber(stored: Int64.random(in: 0..<5, using: &random)),
                            value: Double(Int64.random(in: -8_000...8_000, using: &random)) / 8, revision: 0))
                }
                for sample in expected.samples.values.sorted(by: { ($0.at, $0.sequence.value) < ($1.at, $1.sequence.value) })
                    .shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random))
                {
                    let revision = sample.revision + Int32.random(in: 1...3, using: &random)
                    batch.append(Sample(at: sample.at, sequence: sample.sequence, value: Double(round), revision: revision))
                }
                if let again = sent.randomElement(using: &random) { batch += again.shuffled(using: &random) }
                // Of two new ones with the same place and revision either may stay, so only one is sent.
                var seen: Set<[Int64]> = []
                batch = batch.filter { seen.insert([$0.at.microsecondsSinceEpoch, $0.sequence.value, Int64($0.revision)]).inserted }
                sent.append(batch)

                let (new, corrected) = expected.append(batch)
                let appended = try await Self.append(batch, postgres, ada)
                #expect(appended.newCount == new, "seed \(seed), round \(round)")
                #expect(appended.correctedCount == corrected, "seed \(seed), round \(round)")

                // Read while some rollups are stale and others are not.
                if Bool.random(using: &random) { try await reader.rollUp(ada.series, from: instant(), before: instant()) }
                let ends = [instant(), instant()].sorted()
                let period = Bool.random(using: &random) ? Period.always : try Period(start: ends[0], end: ends[1])
                let grid = try #require(grids.randomElement(using: &random))
                let found = try await Self.buckets(reader, ada.series, grid, period)
                #expect(Self.close(found, expected.buckets(grid, in: period)), "seed \(seed), round \(round), \(grid)")
                #expect(try await Self.wrongRollups(postgres, ada.series) == 0, "seed \(seed), round \(round)")
            }
            // Rolled up as a whole it says the same to the last bit, and by whichever buckets.
            try await reader.rollUp(ada.series, from: Self.begin, before: Self.begin + .seconds(7 * 86_400))
            #expect(
                try await postgres.first(
                    "SELECT count(*) FROM vitals.device_rollups WHERE is_stale", as: Scalar<Int64>.self, identity: .user(ada.caller.id))?.value == 0)
            #expect(try await Self.wrongRollups(postgres, ada.series) == 0)
            for grid in grids {
                let rolled = try await Self.buckets(reader, ada.series, grid, .always)
                #expect(Self.close(rolled, expected.buckets(grid, in: .always)), "seed \(seed), \(grid)")
            }
            var raw: [Sample] = []
            try await reader.raw(ada.series, in: .always) { raw += $0 }
            #expect(raw == expected.sorted(in: .always))
            // Of spans of days, of hours, of less, and of all samples; of all time and of some, with rollups and while some are stale.
            for points in [3, 10, 40, 120, 400] {
                let ends = [instant(), instant()].sorted()
                for period in [Period.always, try Period(start: ends[0], end: ends[1])] {
                    var plotted: [Sample] = []
                    try await reader.plot(ada.series, in: period, points: points) { plotted += $0 }
                    #expect(try plotted == Self.plotted(expected.sorted(in: period), points: points), "seed \(seed), \(points) points, \(period)")
                }
                let late = Sample(at: instant(), sequence: SequenceNumber(stored: 9), value: Double(2_000 + points))
                _ = expected.append([late])
                _ = try await Self.append([late], postgres, ada)
            }
        }
    }

    @Test func `is plotted from what hours are known to have been, and from its samples where they are not`() async throws {
        try await withVitals { vitals, postgres in
            let ada = try await Person(vitals)
            let reader = SeriesReader(postgres: postgres)
            // A sample a minute for six days, with a peak and a trough that nobody may miss.
            var samples = (0..<8_640).map { number in
                Sample(at: Self.begin + .seconds(60 * Int64(number)), sequence: SequenceNumber(stored: Int64(number)), value: Double(number % 7))
            }
            for (number, value) in [(4_321, 90.0), (6_789, -90.0)] {
                samples[number] = Sample(at: samples[number].at, sequence: samples[number].sequence, value: value)
            }
            _ = try await Self.append(samples, postgres, ada)
            func plot() async throws -> [Sample] {
                var plotted: [Sample] = []
                try await reader.plot(ada.series, in: .always, points: 30) { plotted += $0 }
                return plotted
            }
            func hours(_ condition: Query) async throws -> Int64? {
                try await postgres.first(
                    "SELECT count(*) FROM vitals.device_rollups WHERE hours = 1 AND \(condition)", as: Scalar<Int64>.self,
                    identity: .user(ada.caller.id))?.value
            }

            let expected = try Self.plotted(samples, points: 30)
            #expect(expected.contains(samples[4_321]) && expected.contains(samples[6_789]))
            #expect(try await plot() == expected)
            #expect(try await hours("NOT is_stale AND least_at IS NOT NULL AND greatest_at IS NOT NULL") == 144)
            // As code of before leaves it that has rolled up since: it is made good, and read right until then.
            try await runAsSuperuser("UPDATE vitals.device_rollups SET is_stale = false, least_at = NULL, greatest_at = NULL WHERE user_id = '\(ada.caller.id)'")
            let bounds = PlotSpans(from: samples[0].at, through: samples[8_639].at, points: 30).pieces.flatMap { $0 }
            let read = try await postgres.rows(.extremes(between: bounds, of: ada.series), identity: .user(ada.caller.id))
            #expect(read.contains(samples[4_321]) && read.contains(samples[6_789]))
            #expect(try await plot() == expected)
            #expect(try await hours("least_at IS NULL") == 0)
            // A correction takes away what was known of its hour.
            let corrected = Sample(at: samples[4_321].at, sequence: samples[4_321].sequence, value: 3, revision: 1)
            samples[4_321] = corrected
            _ = try await Self.append([corrected], postgres, ada)
            #expect(try await hours("is_stale AND least_at IS NULL") == 1)
            #expect(try await plot() == Self.plotted(samples, points: 30))
        }
    }

    @Test func `is never read stale while several write to one hour and others roll it up`() async throws {
        try await withVitals { vitals, postgres in
            let ada = try await Person(vitals)
            let reader = SeriesReader(postgres: postgres)
            let written = try await withThrowingTaskGroup(of: Int64.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        var count: Int64 = 0
                        for round in 0..<25 {
                            let samples = (0..<5).map { number in
                                Sample(
                                    at: Self.begin + .seconds(Int64(round * 300 + number * 7)),
                                    sequence: SequenceNumber(stored: Int64(writer)), value: Double(writer + number))
                            }
                            count += try await Self.append(samples, postgres, ada).newCount
                        }
                        return count
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<40 {
                            try await reader.rollUp(ada.series, from: Self.begin, before: Self.begin + .seconds(86_400))
                            #expect(try await Self.wrongRollups(postgres, ada.series) == 0)
                        }
                        return 0
                    }
                }
                return try await group.reduce(0, +)
            }

            try await reader.rollUp(ada.series, from: Self.begin, before: Self.begin + .seconds(86_400))
            let day = try await Self.buckets(reader, ada.series, .fixed(seconds: 86_400), .always)

            #expect(written == 500)
            #expect(day.values.map { $0[0] } == [500])
            #expect(try await Self.wrongRollups(postgres, ada.series) == 0)
        }
    }

    @Test func `may have the greatest numbers there are, which some devices send for no value`() async throws {
        try await withVitals { vitals, postgres in
            let (ada, reader) = (try await Person(vitals), SeriesReader(postgres: postgres))
            let greatest = Double.greatestFiniteMagnitude
            let samples = [greatest, -greatest].enumerated().map { number, value in
                Sample(at: Self.begin + .seconds(3_600 * number), sequence: SequenceNumber(stored: Int64(number)), value: value)
            }
            _ = try await Self.append(samples, postgres, ada)

            let buckets = try await Self.buckets(reader, ada.series, .fixed(seconds: 3_600), .always)

            #expect(Set(buckets.values.map { $0[3] }) == [greatest, -greatest])
        }
    }

    @Test func `is listed by name, in pages`() async throws {
        try await withVitals { vitals, postgres in
            let ada = try await Person(vitals)
            let series = SeriesService(samples: SampleRepository(postgres: postgres), reader: SeriesReader(postgres: postgres))
            let sample = Sample(at: Self.begin, sequence: SequenceNumber(stored: 7), value: 36.5)
            for name in ["ppg", "ecg", "eda", "temperature", "acc_x"] {
                _ = try await series.samples.append([sample], .channel(MetricName(name)), of: ada.series.device, ada.series.user)
            }
            var request = VitalsV1.ListSeriesRequest(deviceId: ada.series.device.text, pageSize: 2)
            var sizes: [Int] = []
            var listed: [VitalsV1.Series] = []
            repeat {
                let page = try await series.listSeries(request, context: ada.caller.context)
                sizes.append(page.series.count)
                listed += page.series
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            let all = try await series.listSeries(.init(deviceId: ada.series.device.text), context: ada.caller.context)
            #expect(sizes == [2, 2, 1] && listed == all.series && all.nextPageToken.isEmpty)
            let eve = try await Person(vitals)
            let token = try await series.listSeries(
                .init(deviceId: ada.series.device.text, pageSize: 2), context: ada.caller.context
            ).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await series.listSeries(.init(deviceId: eve.series.device.text, pageToken: token), context: eve.caller.context)
            }
        }
    }

    @Test func `of a code has one unit, and is listed with it`() async throws {
        try await withVitals { vitals, postgres in
            let code = try LOINCCode("8310-5")
            let ada = try await Person(vitals, .coded(code, in: UCUMUnit("Cel")))
            let sample = Sample(at: Self.begin, sequence: SequenceNumber(stored: 7), value: 36.5)
            _ = try await Self.append([sample], postgres, ada)

            await #expect(throws: VitalsError.seriesHasAnotherUnit) {
                try await SampleRepository(postgres: postgres).append(
                    [Sample(at: Self.begin + .seconds(1), sequence: SequenceNumber(stored: 8), value: 97.7)],
                    .coded(code, in: UCUMUnit("[degF]")), of: ada.series.device, ada.series.user)
            }

            let listed = try await SeriesReader(postgres: postgres).list(of: ada.series.device, ada.series.user, limit: 9)
            #expect(listed.map(\.metric) == [ada.metric])
            #expect(listed.map(\.lastSequence) == [7])
            var raw: [Sample] = []
            try await SeriesReader(postgres: postgres).raw(ada.series, in: .always) { raw += $0 }
            #expect(raw == [sample])
        }
    }

    @Test func `is somebody's own, and its device must be active to add to it`() async throws {
        try await withVitals { vitals, postgres in
            let (ada, eve) = (try await Person(vitals), try await Person(vitals))
            let samples = SampleRepository(postgres: postgres)
            let reader = SeriesReader(postgres: postgres)
            let sample = Sample(at: Self.begin, sequence: SequenceNumber(stored: 0), value: 1)
            _ = try await Self.append([sample], postgres, ada)

            await #expect(throws: VitalsError.noSuchDevice) {
                try await samples.append([sample], ada.metric, of: ada.series.device, eve.series.user)
            }
            await #expect(throws: VitalsError.unknownDevice) { try await reader.list(of: ada.series.device, eve.series.user, limit: 1) }
            await expect(.notFound) {
                try await vitals.deactivateDevice(.init(deviceId: ada.series.device.text), context: eve.caller.context)
            }
            let off = try await vitals.deactivateDevice(.init(deviceId: ada.series.device.text), context: ada.caller.context).device
            await #expect(throws: VitalsError.noSuchDevice) {
                try await samples.append([sample], ada.metric, of: ada.series.device, ada.series.user)
            }
            let named = try await vitals.renameDevice(.init(deviceId: ada.series.device.text, name: "Old watch"), context: ada.caller.context).device
            _ = try await vitals.registerWatch(for: ada.caller)

            #expect(off?.active == false && named?.active == false && named?.name == "Old watch")
            #expect(try await vitals.listDevices(.init(), context: ada.caller.context).devices.map(\.active) == [true])
            #expect(try await Self.append([sample], postgres, ada).newCount == 0)
            #expect(try await Self.buckets(reader, ada.series, .fixed(seconds: 60), .always).count == 1)
        }
    }

    @Test func `is asked for with what makes sense`() throws {
        let id = UUID().uuidString
        func fields(_ request: VitalsV1.ReadSeriesRequest) -> Set<String> {
            do throws(RPCError) {
                _ = try SeriesQuery(request)
                return []
            } catch { return Set(error.violatedFields) }
        }

        #expect(fields(.init()) == ["device_id", "metric"])
        #expect(fields(.init(deviceId: id, metric: .init(metric: .channel("loinc_8867_4")))) == ["metric.channel"])
        #expect(fields(.init(deviceId: id, metric: .init(metric: .coded(.init(code: "8867-4"))))) == [])
        #expect(fields(.init(deviceId: id, metric: .init(metric: .channel("ppg")), form: .plot(.init(points: 2)))) == ["plot.points"])
        #expect(fields(.init(deviceId: id, metric: .init(metric: .channel("ppg")), form: .buckets(.init()))) == ["buckets.width"])
        #expect(
            fields(.init(deviceId: id, metric: .init(metric: .channel("ppg")), form: .buckets(.init(width: .init(seconds: 1, nanos: 5))))) == ["buckets.width"])
        #expect(
            fields(.init(deviceId: id, metric: .init(metric: .channel("ppg")), form: .localDays(.init(timeZone: "Mars/Olympus")))) == ["local_days.time_zone"])
    }

    @Test func `takes from the message before what a message leaves out`() throws {
        let device = UUID().uuidString.lowercased()
        let sample = VitalsV1.Sample(at: .init(Self.begin), sequence: 1, value: 2, revision: 3)
        let metric = VitalsV1.SeriesMetric(metric: .coded(.init(code: "8867-4", unit: "/min")))

        let first = try VitalsV1.SeriesServiceAppendSamplesRequest(deviceId: device, metric: metric, samples: [sample]).parsed(after: nil)
        let second = try VitalsV1.SeriesServiceAppendSamplesRequest(samples: [sample]).parsed(after: first.target)

        #expect(second.target.device.text == device && second.target.metric == first.target.metric)
        #expect(second.samples == [Sample(at: Self.begin, sequence: SequenceNumber(stored: 1), value: 2, revision: 3)])
        #expect(throws: RPCError.self) { try VitalsV1.SeriesServiceAppendSamplesRequest(samples: [sample]).parsed(after: nil) }
        #expect(throws: RPCError.self) {
            let wrong = VitalsV1.SeriesMetric(metric: .coded(.init(code: "8867-4", unit: "mg/dL")))
            _ = try VitalsV1.SeriesServiceAppendSamplesRequest(metric: wrong, samples: [sample]).parsed(after: first.target)
        }
    }

    @Test func `is as old as the database says, with its rollups`() async throws {
        try await withVitals { vitals, postgres in
            let ada = try await Person(vitals)
            // Long before all other tests' samples, in the default partition.
            let old = Instant(microsecondsSinceEpoch: 946_684_800_000_000)
            let samples = [old, Self.begin].map { Sample(at: $0, sequence: SequenceNumber(stored: 0), value: 1) }
            _ = try await Self.append(samples, postgres, ada)

            try await runAsSuperuser("SET ROLE heartguard_owner; SELECT vitals.retire_device_timeseries_partitions('2001-02-03')")

            // How long that is comes of a setting of the database.
            for (setting, months) in [("", 36), ("60", 60), ("1", 2)] {
                try await runAsSuperuser(
                    """
                    SELECT set_config('heartguard.samples_kept_months', '\(setting)', false);
                    DO $$ BEGIN ASSERT vitals.samples_kept() = interval '\(months) months'; END $$
                    """)
            }

            var raw: [Sample] = []
            try await SeriesReader(postgres: postgres).raw(ada.series, in: .always) { raw += $0 }
            #expect(raw == [samples[1]])
            let rollups = try await postgres.first(
                "SELECT count(*) FROM vitals.device_rollups", as: Scalar<Int64>.self, identity: .user(ada.caller.id))
            #expect(rollups?.value == 2)
        }
    }
}
