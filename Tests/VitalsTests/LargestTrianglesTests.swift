internal import TestSupport
internal import Testing
internal import Time

@testable internal import Vitals

@Suite struct `Largest triangles` {
    private static func samples(_ count: Int, seed: UInt64) -> [Sample] {
        var random = SeededGenerator(seed: seed)
        var at: Int64 = 1_771_662_600_000_000
        return (0..<count).map { number in
            at += Int64.random(in: 1...2_000_000, using: &random)
            return Sample(
                at: Instant(microsecondsSinceEpoch: at), sequence: SequenceNumber(stored: Int64(number)),
                value: Double(Int.random(in: -400...400, using: &random)) / 8)
        }
    }

    /// As the thesis says it, over an array.
    private static func reference(_ data: [Sample], points: Int) -> [Sample] {
        guard points < data.count else { return data }
        func start(_ bucket: Int) -> Int { (bucket - 1) * (data.count - 2) / (points - 2) + 1 }
        func x(_ index: Int, _ origin: Int) -> Double {
            Double(data[index].at.microsecondsSinceEpoch - data[origin].at.microsecondsSinceEpoch)
        }
        var chosen = [0]
        for bucket in 1..<points - 1 {
            let next = bucket == points - 2 ? data.count - 1..<data.count : start(bucket + 1)..<start(bucket + 2)
            let a = chosen[chosen.count - 1]
            let meanX = next.map { x($0, a) }.reduce(0, +) / Double(next.count)
            let meanY = next.map { data[$0].value }.reduce(0, +) / Double(next.count)
            var best = (index: -1, area: -1.0)
            for index in start(bucket)..<start(bucket + 1) {
                let area = abs(x(index, a) * (meanY - data[a].value) - meanX * (data[index].value - data[a].value))
                if area > best.area { best = (index, area) }
            }
            chosen.append(best.index)
        }
        return (chosen + [data.count - 1]).map { data[$0] }
    }

    @Test(arguments: [(3, 3), (4, 3), (5, 4), (7, 4), (100, 3), (1_000, 10), (1_001, 250), (5_000, 997), (10, 9)])
    func `are those of the thesis`(count: Int, points: Int) {
        for seed in 1...5 as ClosedRange<UInt64> {
            let samples = Self.samples(count, seed: seed)

            let chosen = LargestTriangles.chosen(points, of: samples)

            #expect(chosen.count == points, "seed \(seed)")
            #expect(chosen == Self.reference(samples, points: points), "seed \(seed)")
        }
    }

    @Test func `are all samples when there are no more than points`() {
        for count in 0...5 {
            let samples = Self.samples(count, seed: 1)
            #expect(LargestTriangles.chosen(5, of: samples) == samples)
        }
    }

    @Test func `keep a single peak, which a mean would hide`() {
        var samples = Self.samples(10_000, seed: 1).map { Sample(at: $0.at, sequence: $0.sequence, value: 1) }
        samples[4_321] = Sample(at: samples[4_321].at, sequence: samples[4_321].sequence, value: 90)

        #expect(LargestTriangles.chosen(20, of: samples).contains(samples[4_321]))
    }
}

@Suite struct `The spans of a plot` {
    private static let at: Int64 = 1_771_662_601_234_567

    @Test(arguments: [(1, 3), (1_000, 3), (5_999, 1_000), (3_600_000_000, 3), (86_400_000_000, 12), (86_400_000_000, 5_000), (31_536_000_000_000, 1_000), (315_360_000_000_000, 3)] as [(Int64, Int)])
    func `lie side by side from the first sample to the last, two a point or more`(length: Int64, points: Int) {
        let (first, last) = (Instant(microsecondsSinceEpoch: Self.at), Instant(microsecondsSinceEpoch: Self.at + length))

        let pieces = PlotSpans(from: first, through: last, points: points).pieces

        let bounds = pieces.flatMap { $0 }
        let starts = zip(bounds, bounds.dropFirst()).filter { $0 < $1 }
        #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.last == $1.first } && pieces.allSatisfy { (2...501).contains($0.count) })
        #expect(bounds.first.map { $0 <= first } == true && bounds.last.map { $0 > last } == true)
        #expect(Set(starts.map { $1 - $0 }).count == 1)
        #expect(starts.count <= (length >= 2 * Int64(points) * 3_600_000_000 ? 4 : 2) * points + 1)
        if length >= Int64(points) * 4 { #expect(starts.count > points) }
        let isHourly = length >= 2 * Int64(points) * 3_600_000_000
        #expect(bounds.allSatisfy { ($0.microsecondsSinceEpoch % 3_600_000_000 == 0) == isHourly })
        // Samples of a day at most are looked at by one statement, unless hours answer for them.
        #expect(isHourly || pieces.allSatisfy { $0[$0.count - 1] - $0[0] <= .seconds(86_400) })
    }

    @Test func `of one instant are one`() {
        let instant = Instant(microsecondsSinceEpoch: Self.at)

        #expect(PlotSpans(from: instant, through: instant, points: 3).pieces == [[instant, instant + .microseconds(1)]])
    }
}
