internal import Time

/// Largest-Triangle-Three-Buckets (S. Steinarsson, "Downsampling Time Series for Visual Representation", 2013, section 4.2).
enum LargestTriangles {
    /// Of samples in their order the first, the last, and one of each of the buckets between, of as many samples each, namely that which makes the
    /// largest triangle with the one chosen before and the mean of the next bucket. All of them when there are no more than `points`.
    ///
    /// - Parameter points: how many to choose, at least three.
    static func chosen(_ points: Int, of samples: [Sample]) -> [Sample] {
        guard points < samples.count else { return samples }
        // Bucket 0 has the first sample alone, and `points - 1` the last.
        func bucket(_ number: Int) -> Range<Int> {
            func start(_ number: Int) -> Int { number < points ? (number - 1) * (samples.count - 2) / (points - 2) + 1 : samples.count }
            return start(number)..<start(number + 1)
        }
        var chosen = [samples[0]]
        for number in 1..<(points - 1) {
            let (origin, next) = (chosen[number - 1], samples[bucket(number + 1)])
            func x(_ sample: Sample) -> Double { Double(sample.at.microsecondsSinceEpoch - origin.at.microsecondsSinceEpoch) }
            let meanX = next.reduce(0) { $0 + x($1) } / Double(next.count)
            let meanY = next.reduce(0) { $0 + $1.value } / Double(next.count)
            var best = samples[bucket(number).lowerBound]
            var largest = -1.0
            for sample in samples[bucket(number)] {
                // Twice the area, with the chosen one at the origin.
                let area = abs(x(sample) * (meanY - origin.value) - meanX * (sample.value - origin.value))
                if area > largest { (best, largest) = (sample, area) }
            }
            chosen.append(best)
        }
        return chosen + [samples[samples.count - 1]]
    }
}
