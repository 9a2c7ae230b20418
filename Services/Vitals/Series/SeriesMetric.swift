internal import Application
internal import Time

/// What a series is of: a signal without a code, or a vital sign in one unit.
struct SeriesMetric: Hashable, Sendable {
    let name: MetricName
    /// Both or neither.
    let code: LOINCCode?
    let unit: UCUMUnit?

    static func channel(_ name: MetricName) -> SeriesMetric { SeriesMetric(name: name, code: nil, unit: nil) }

    static func coded(_ code: LOINCCode, in unit: UCUMUnit) -> SeriesMetric {
        SeriesMetric(name: MetricName(of: code), code: code, unit: unit)
    }
}

/// Names a series: a person's device's one metric.
struct SeriesKey: Hashable, Sendable {
    let user: UserID
    let device: DeviceID
    let metric: MetricName
}

/// A series that a device has.
struct DeviceSeries: Hashable, Sendable {
    let metric: SeriesMetric
    let lastSequence: Int64
    let createdAt: Instant
}

/// What the samples of some time were.
struct SeriesBucket: Hashable, Sendable {
    /// 0 for that which begins at the first of the bounds.
    let index: Int
    let count: Int64
    let least: Double
    let greatest: Double
    let mean: Double
    let last: Sample
}
