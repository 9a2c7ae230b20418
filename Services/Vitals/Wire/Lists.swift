internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

// A page's token holds the query that it belongs to beside the place where it goes on, so that it cannot be used with
// another query. The page's size may change from page to page.

/// What a caller asks of `ListObservations`.
struct ObservationList {
    let code: LOINCCode
    let period: Period
    /// Only what was taken on this day by the clocks of wherever it was taken.
    let ownDay: CivilDate?
    let unit: UCUMUnit?
    let size: Int
    let place: ObservationRepository.Place?

    init(_ request: VitalsV1.ListObservationsRequest, zones: TimeZoneDatabase = .system) throws(RPCError) {
        var violations = FieldViolations()
        let code = violations.value("code", request.code, LOINCCode.init(_:))
        let given = violations.period(request.startAt, request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 100, most: 1_000)
        let day = request.localDate.isEmpty ? nil : violations.value("local_date", request.localDate, CivilDate.init(checking:))
        let clocks = violations.clocks("time_zone", request.timeZone, in: zones)
        if day == nil { violations.check(request.timeZone.isEmpty, "time_zone", "It says whose day local_date is, which is absent.") }
        if !request.localDate.isEmpty {
            violations.check(request.startAt == nil, "start_at", "A day has its own start.")
            violations.check(request.endAt == nil, "end_at", "A day has its own end.")
        }
        unit = request.unit.isEmpty ? nil : violations.value("unit", request.unit) { text throws(InvalidValue) in
            try UCUMUnit(wished: text, of: code)
        }
        (self.code, self.size) = try violations.complete(code, size)
        var period = try violations.complete(given)
        var ownDay: CivilDate?
        if let day {
            do throws(InvalidValue) { period = try LocalDays(first: day, last: day, clocks: clocks).period } catch { throw .invalid("local_date", error) }
            ownDay = clocks == nil ? day : nil
        }
        (self.period, self.ownDay) = (period, ownDay)
        place = try PageToken.place(request.pageToken, of: Self.query(self.code, period, ownDay)).map {
            .init(effectiveAt: $0.at, id: ObservationID($0.id))
        }
    }

    private static func query(_ code: LOINCCode, _ period: Period, _ day: CivilDate?) -> [String] {
        [
            "observations", code.text, "\(period.start.microsecondsSinceEpoch)", "\(period.end.microsecondsSinceEpoch)",
            day?.description ?? "",
        ]
    }

    /// A page of what was read with one row more than the page holds, which tells whether there is another page.
    func page(_ read: [Observation]) -> VitalsV1.ListObservationsResponse {
        let units = unit.map { [$0] } ?? []
        let (page, next) = PageToken.page(read, of: size, telling: { VitalsV1.Observation($0).converted(to: units) }) {
            PageToken(of: Self.query(code, period, ownDay), behind: $0.effectiveAt, $0.id.uuid)
        }
        return VitalsV1.ListObservationsResponse(observations: page, nextPageToken: next)
    }
}

/// What a caller asks of `ListSamples`.
struct SampleList {
    let device: DeviceID
    let metric: MetricName
    let period: Period
    let size: Int
    let place: SampleRepository.Place?

    init(_ request: VitalsV1.ListSamplesRequest) throws(RPCError) {
        var violations = FieldViolations()
        let device = violations.value("device_id", request.deviceId, DeviceID.init(parsing:))
        let metric = violations.value("metric", request.metric, MetricName.init(_:))
        let period = violations.period(request.startAt, request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 1_000, most: 10_000)
        (self.device, self.metric, self.period, self.size) = try violations.complete(device, metric, period, size)
        place = try Self.place(request.pageToken, query: Self.query(self.device, self.metric, self.period))
    }

    private static func query(_ device: DeviceID, _ metric: MetricName, _ period: Period) -> [String] {
        [
            "samples", device.text, metric.text, "\(period.start.microsecondsSinceEpoch)",
            "\(period.end.microsecondsSinceEpoch)",
        ]
    }

    private static func place(_ token: String, query: [String]) throws(RPCError) -> SampleRepository.Place? {
        guard let key = try PageToken.key(token, of: query, parts: 2) else { return nil }
        guard let sequence = Int64(key[1]) else { throw PageToken.invalid }
        return .init(at: try PageToken.instant(key[0]), sequence: sequence)
    }

    /// A page of what was read with one row more than the page holds, which tells whether there is another page.
    func page(_ read: [Sample]) -> (samples: ArraySlice<Sample>, nextPageToken: String) {
        let (page, next) = PageToken.page(read, of: size) {
            PageToken(Self.query(device, metric, period) + ["\($0.at.microsecondsSinceEpoch)", "\($0.sequence.value)"])
        }
        return (page, next)
    }
}

extension FieldViolations {
    mutating func period(
        _ startAt: GoogleProtobuf.Timestamp?, _ endAt: GoogleProtobuf.Timestamp?
    ) -> Period? {
        let start = optional("start_at", startAt, Instant.init(checking:))
        let end = optional("end_at", endAt, Instant.init(checking:))
        guard (start == nil) == (startAt == nil), (end == nil) == (endAt == nil) else { return nil }
        return value("end_at", (start, end)) { ends throws(InvalidValue) in try Period(start: ends.0, end: ends.1) }
    }
}
