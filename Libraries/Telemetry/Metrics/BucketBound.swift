/// The upper end of a bucket of the histograms that are told by `PrometheusText`.
struct BucketBound: Sendable {
    let nanoseconds: UInt64
    /// In seconds.
    let text: String

    /// As Prometheus has them: those of its client libraries, and one below.
    static let all: [BucketBound] = [
        (1_000_000, "0.001"), (5_000_000, "0.005"), (10_000_000, "0.01"), (25_000_000, "0.025"), (50_000_000, "0.05"),
        (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"), (1_000_000_000, "1"), (2_500_000_000, "2.5"),
        (5_000_000_000, "5"), (10_000_000_000, "10"), (.max, "+Inf"),
    ].map(BucketBound.init(nanoseconds:text:))
}
