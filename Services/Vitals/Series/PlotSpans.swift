internal import Time

/// The spans of equal length whose least and greatest samples a plot is chosen from (MinMaxLTTB: Van Der Donckt et al., "MinMaxLTTB: Leveraging
/// MinMax-Preselection to Scale LTTB", 2023): two a point or more, so four samples a point, beyond which they found no difference that is seen.
///
/// Spans that would be an hour or longer are whole hours of UTC, so that rollups answer for their samples.
struct PlotSpans: Hashable, Sendable {
    static let samplesPerPoint = 4
    private static let hour: Int64 = 3_600_000_000

    private let start: Int64
    private let end: Int64
    /// In microseconds.
    private let width: Int64

    /// - Parameter points: of the plot.
    init(from first: Instant, through last: Instant, points: Int) {
        let (first, last) = (first.microsecondsSinceEpoch, last.microsecondsSinceEpoch)
        func rounded(_ length: Int64, upTo unit: Int64) -> Int64 { (length + unit - 1) / unit * unit }
        let count = Int64(points * Self.samplesPerPoint / 2)
        let width = max(1, (last - first) / count + 1)
        let isWhole = width >= Self.hour
        self.width = isWhole ? width / Self.hour * Self.hour : width
        start = isWhole ? first - (first % Self.hour + Self.hour) % Self.hour : first
        end = start + rounded(last + 1 - start, upTo: self.width)
    }

    /// The instants between spans, some spans at a time: so many that their samples, which have to be looked at where spans are no whole hours, are
    /// those of a day at most.
    var pieces: [[Instant]] {
        let most = width % Self.hour == 0 ? 500 : max(1, min(500, 24 * Self.hour / width))
        return stride(from: start, to: end, by: Int(most * width)).map { first in
            stride(from: first, through: min(first + most * width, end), by: Int(width)).map { Instant(microsecondsSinceEpoch: $0) }
        }
    }
}
