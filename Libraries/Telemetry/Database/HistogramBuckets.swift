internal import Histogram

/// A histogram as it travels: which values were seen, each within one hundredth, and how often. What several replicas counted is added
/// value by value, and the sum has the percentiles of all that they saw, which no mean of their percentiles has.
package struct HistogramBuckets: Sendable, Equatable {
    package struct Bucket: Sendable, Equatable {
        package let value: UInt64
        package let count: UInt64

        package init(value: UInt64, count: UInt64) {
            self.value = value
            self.count = count
        }
    }

    /// In the order of their values.
    package let buckets: [Bucket]
    package let sum: UInt64

    package init(buckets: [Bucket], sum: UInt64) {
        self.buckets = buckets
        self.sum = sum
    }

    init(_ tally: Tally) {
        buckets = tally.histogram.recordedValues().map { Bucket(value: $0.value, count: $0.count) }
        sum = tally.sum
    }

    /// All of them as one.
    package static func merged(_ parts: [HistogramBuckets]) -> HistogramBuckets {
        var all = Tally()
        for part in parts {
            for bucket in part.buckets { all.histogram.record(bucket.value, count: bucket.count) }
            all.sum &+= part.sum
        }
        return HistogramBuckets(all)
    }

    package var distribution: Distribution {
        var tally = Tally()
        for bucket in buckets { tally.histogram.record(bucket.value, count: bucket.count) }
        tally.sum = sum
        return Distribution(tally)
    }

    /// How many values are not above the bound.
    package func count(upTo bound: UInt64) -> UInt64 {
        buckets.reduce(0) { $1.value <= bound ? $0 + $1.count : $0 }
    }
}
