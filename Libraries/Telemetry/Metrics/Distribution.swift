internal import Histogram

/// How values were distributed, to two significant digits: every figure is within one hundredth of the true one.
package struct Distribution: Sendable, Equatable {
    package let count: UInt64
    package let sum: UInt64
    package let p50: UInt64
    package let p95: UInt64
    package let p99: UInt64
    package let max: UInt64

    init(_ tally: Tally) {
        count = tally.histogram.totalCount
        sum = tally.sum
        p50 = tally.histogram.valueAtPercentile(50)
        p95 = tally.histogram.valueAtPercentile(95)
        p99 = tally.histogram.valueAtPercentile(99)
        max = tally.histogram.max
    }
}

/// Values that were counted, and their sum.
struct Tally: Sendable {
    /// It grows with the largest value: values below a millisecond in nanoseconds take 14 KB, and 1 KB more for each doubling.
    var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .two)
    var sum: UInt64 = 0

    /// More than any duration or size here; what is larger counts as this much.
    private static let largest: UInt64 = 1 << 42

    mutating func record(_ value: Int64) {
        let value = min(UInt64(max(0, value)), Tally.largest)
        histogram.record(value)
        sum &+= value
    }
}
