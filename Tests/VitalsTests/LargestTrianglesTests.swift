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

    private static func chosen(_ samples: [Sample], counted: Int? = nil, points: Int) -> [Sample] {
        var triangles = LargestTriangles(of: counted ?? samples.count, points: points)
        var chosen = samples.compactMap { triangles.take($0) }
        chosen += triangles.finish()
        return chosen
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
    func `of a stream are those of the whole`(count: Int, points: Int) {
        for seed in 1...5 as ClosedRange<UInt64> {
            let samples = Self.samples(count, seed: seed)

            let chosen = Self.chosen(samples, points: points)

            #expect(chosen.count == points, "seed \(seed)")
            #expect(chosen == Self.reference(samples, points: points), "seed \(seed)")
        }
    }

    @Test func `are all samples when there are no more than points`() {
        for count in 0...5 {
            let samples = Self.samples(count, seed: 1)
            #expect(Self.chosen(samples, points: 5) == samples)
        }
    }

    @Test func `keep a single peak, which a mean would hide`() {
        var samples = Self.samples(10_000, seed: 1).map { Sample(at: $0.at, sequence: $0.sequence, value: 1) }
        samples[4_321] = Sample(at: samples[4_321].at, sequence: samples[4_321].sequence, value: 90)

        #expect(Self.chosen(samples, points: 20).contains(samples[4_321]))
    }

    @Test func `end with the last sample there is, and take no more than were counted`() {
        let samples = Self.samples(1_000, seed: 7)

        let fewer = Self.chosen(Array(samples.prefix(900)), counted: 1_000, points: 50)
        let more = Self.chosen(samples, counted: 900, points: 50)

        #expect(fewer.first == samples[0] && fewer.last == samples[899])
        #expect(more.count == 50 && more.last == samples[899])
    }
}
