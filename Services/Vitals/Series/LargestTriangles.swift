internal import Time

/// Largest-Triangle-Three-Buckets (S. Steinarsson, "Downsampling Time Series for Visual Representation", 2013, section 4.2) over samples that
/// come one by one: of a number that is known, the first, the last, and one of each of the buckets between, of as many samples each, namely that
/// which makes the largest triangle with the one chosen before and the mean of the next bucket.
///
/// It holds two buckets. Samples beyond the number are left out; if there are fewer, the last is still chosen.
struct LargestTriangles: Sendable {
    private let count: Int
    private let points: Int
    private var taken = 0
    /// The bucket that is being filled; 0 has the first sample alone, and `points - 1` the last.
    private var bucket = 0
    private var before: [Sample] = []
    private var filling: [Sample] = []
    private var chosen: Sample?

    /// - Parameter points: how many to choose, at least three. All are chosen when there are no more.
    init(of count: Int, points: Int) {
        self.count = count
        self.points = points
    }

    /// Where a bucket between the first and the last begins, and the one before it ends.
    private func start(ofBucket number: Int) -> Int { (number - 1) * (count - 2) / (points - 2) + 1 }

    /// Takes the next sample, and answers the one that is chosen by it, if one is.
    mutating func take(_ sample: Sample) -> Sample? {
        guard taken < count else { return nil }
        taken += 1
        guard points < count else { return sample }
        guard taken > 1 else {
            chosen = sample
            bucket = 1
            return sample
        }
        filling.append(sample)
        let isFull = taken == count || (bucket < points - 1 && taken == start(ofBucket: bucket + 1))
        guard isFull else { return nil }
        let choice = choose()
        (before, filling) = (filling, [])
        bucket += 1
        return choice
    }

    /// Chooses what is left when no more samples come: the last one.
    mutating func finish() -> [Sample] {
        guard points < count, taken > 1 else { return [] }
        let choices = [choose(), filling.last ?? before.last]
        (before, filling) = ([], [])
        return choices.compactMap { $0 }
    }

    /// Of the bucket before, the sample that makes the largest triangle; `nil` if there is none.
    private mutating func choose() -> Sample? {
        guard let chosen, !before.isEmpty, !filling.isEmpty else { return nil }
        let origin = chosen.at
        func x(_ sample: Sample) -> Double { Double(sample.at.microsecondsSinceEpoch - origin.microsecondsSinceEpoch) }
        let meanX = filling.reduce(0) { $0 + x($1) } / Double(filling.count)
        let meanY = filling.reduce(0) { $0 + $1.value } / Double(filling.count)
        var best = before[0]
        var largest = -1.0
        for sample in before {
            // Twice the area, with the chosen one at the origin.
            let area = abs(x(sample) * (meanY - chosen.value) - meanX * (sample.value - chosen.value))
            if area > largest { (best, largest) = (sample, area) }
        }
        self.chosen = best
        return best
    }
}
