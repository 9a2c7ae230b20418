internal import Histogram

/// How long something took, as it was recorded one by one; to two significant digits.
struct LatencyRecord: Sendable {
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .two)
    private var nanoseconds: UInt64 = 0
    /// An hour, longer than which nothing here takes.
    private static let longest: UInt64 = 3_600_000_000_000

    mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let value = UInt64(max(0, seconds)).multipliedReportingOverflow(by: 1_000_000_000)
        let whole = value.overflow ? Self.longest : min(value.partialValue + UInt64(max(0, attoseconds)) / 1_000_000_000, Self.longest)
        histogram.record(whole)
        nanoseconds += whole
    }

    var summary: CacheStatistics.Latency {
        let count = histogram.totalCount
        return .init(
            samples: Int(count), mean: .nanoseconds(count == 0 ? 0 : Int64(nanoseconds / count)),
            p95: .nanoseconds(count == 0 ? 0 : Int64(histogram.valueAtPercentile(95))))
    }
}
