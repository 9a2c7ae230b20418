internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// Where the samples of a stream go.
struct SeriesTarget: Sendable {
    let device: DeviceID
    let metric: SeriesMetric
}

extension VitalsV1.SeriesServiceAppendSamplesRequest {
    /// What a message does not say is that of the message before.
    func parsed(after target: SeriesTarget?, now: Instant = .now()) throws(RPCError) -> (target: SeriesTarget, samples: [Sample]) {
        var violations = FieldViolations()
        let device =
            if let target, deviceId.isEmpty { target.device as DeviceID? } else { violations.value("device_id", deviceId, DeviceID.init(parsing:)) }
        let metric =
            if let target, metric == nil { target.metric as SeriesMetric? } else { violations.seriesMetric(metric) }
        let samples = violations.samples(samples, now: now)
        let values = try violations.complete(device, metric)
        return (SeriesTarget(device: values.0, metric: values.1), samples)
    }
}

extension FieldViolations {
    /// With its unit.
    fileprivate mutating func seriesMetric(_ given: VitalsV1.SeriesMetric?) -> SeriesMetric? {
        switch given?.metric {
        case nil:
            add("metric", "The field is needed, with a channel or a code.")
            return nil
        case .channel(let name): return value("metric.channel", name, MetricName.init(_:)).map { .channel($0) }
        case .coded(let coded):
            let code = value("metric.coded.code", coded.code, LOINCCode.init(_:))
            let unit = value("metric.coded.unit", coded.unit) { text throws(InvalidValue) in try UCUMUnit(wished: text, of: code) }
            guard let code, let unit else { return nil }
            return .coded(code, in: unit)
        }
    }

    /// What a series is kept under.
    fileprivate mutating func metricName(_ given: VitalsV1.SeriesMetric?) -> MetricName? {
        guard case .coded(let coded) = given?.metric else { return seriesMetric(given)?.name }
        return value("metric.coded.code", coded.code, LOINCCode.init(_:)).map { MetricName(of: $0) }
    }
}

/// What a caller asks of `ReadSeries`.
struct SeriesQuery {
    enum Form: Sendable {
        case raw
        case buckets(BucketGrid)
        case plot(points: Int)
    }

    let device: DeviceID
    let metric: MetricName
    let period: Period
    let form: Form

    init(_ request: VitalsV1.ReadSeriesRequest, zones: TimeZoneDatabase = .system) throws(RPCError) {
        var violations = FieldViolations()
        let device = violations.value("device_id", request.deviceId, DeviceID.init(parsing:))
        let metric = violations.metricName(request.metric)
        let period = violations.period(request.startAt, request.endAt)
        let form: Form? = switch request.form {
        case .raw, nil: .raw
        case .buckets(let buckets): violations.value("buckets.width", buckets.width, Self.grid)
        case .localDays(let days):
            violations.value("local_days.time_zone", days.timeZone) { name throws(InvalidValue) in .buckets(.days(try zones.clocks(name))) }
        case .plot(let plot):
            violations.value("plot.points", Int(plot.points)) { points throws(InvalidValue) in
                guard (3...5_000).contains(points) else { throw InvalidValue("must be 3 to 5000") }
                return .plot(points: points)
            }
        }
        (self.device, self.metric, self.period, self.form) = try violations.complete(device, metric, period, form)
    }

    private static func grid(_ width: GoogleProtobuf.Duration?) throws(InvalidValue) -> Form {
        guard let width else { throw InvalidValue("is needed") }
        guard width.nanos == 0, (1...366 * 86_400).contains(width.seconds) else {
            throw InvalidValue("must be one second to 366 days, in whole seconds")
        }
        return .buckets(.fixed(seconds: width.seconds))
    }
}

extension VitalsV1.SeriesBucket {
    init(_ bucket: SeriesBucket, from start: Instant, to end: Instant) {
        self.init(
            startAt: .init(start), endAt: .init(end), count: bucket.count, least: bucket.least, greatest: bucket.greatest, mean: bucket.mean,
            last: bucket.last.value, lastAt: .init(bucket.last.at))
    }
}

extension VitalsV1.Series {
    init(_ series: DeviceSeries, of device: DeviceID) {
        self.init(
            deviceId: device.text, metric: .init(series.metric), lastSequence: series.lastSequence, createdAt: .init(series.createdAt))
    }
}

extension VitalsV1.SeriesMetric {
    init(_ metric: SeriesMetric) {
        guard let code = metric.code, let unit = metric.unit else {
            self.init(metric: .channel(metric.name.text))
            return
        }
        self.init(metric: .coded(.init(code: code.text, unit: unit.text)))
    }
}

extension VitalsV1.RenameDeviceRequest {
    func parsed() throws(RPCError) -> (DeviceID, DeviceText) {
        var violations = FieldViolations()
        let device = violations.value("device_id", deviceId, DeviceID.init(parsing:))
        let name = violations.value("name", name, DeviceText.name)
        return try violations.complete(device, name)
    }
}

extension VitalsV1.ListSeriesRequest {
    func parsed() throws(RPCError) -> (device: DeviceID, size: Int, metric: String) {
        var violations = FieldViolations()
        let device = violations.value("device_id", deviceId, DeviceID.init(parsing:))
        let size = violations.pageSize(pageSize, usual: 1_000, most: 1_000)
        let (id, limit) = try violations.complete(device, size)
        let key = try PageToken.key(pageToken, of: Self.query(id), parts: 1)
        return (id, limit, key?[0] ?? "")
    }

    private static func query(_ device: DeviceID) -> [String] { ["series", device.text] }

    /// Where a page goes on.
    static func token(of device: DeviceID, behind metric: MetricName) -> PageToken { PageToken(query(device) + [metric.text]) }
}
