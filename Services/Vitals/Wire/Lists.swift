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
    let size: Int
    let place: ObservationRepository.Place?

    init(_ request: VitalsV1.ListObservationsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let code = violations.value("code", request.code, LOINCCode.init(_:))
        let period = violations.period(request.startAt, request.endAt)
        let size = violations.pageSize(request.pageSize, usual: 100, most: 1_000)
        (self.code, self.period, self.size) = try violations.complete(code, period, size)
        place = try Self.place(request.pageToken, query: Self.query(self.code, self.period))
    }

    private static func query(_ code: LOINCCode, _ period: Period) -> [String] {
        ["observations", code.text, "\(period.start.microsecondsSinceEpoch)", "\(period.end.microsecondsSinceEpoch)"]
    }

    private static func place(_ token: String, query: [String]) throws(RPCError) -> ObservationRepository.Place? {
        guard !token.isEmpty else { return nil }
        let parts = try PageToken(parsing: token, parts: query.count + 2).parts
        guard Array(parts.prefix(query.count)) == query, let microseconds = Int64(parts[query.count]),
            let id = UUID(uuidString: parts[query.count + 1])
        else { throw PageToken.invalid }
        return .init(effectiveAt: Instant(microsecondsSinceEpoch: microseconds), id: ObservationID(id))
    }

    /// A page of what was read with one row more than the page holds, which tells whether there is another page.
    func page(_ read: [Observation]) -> (observations: ArraySlice<Observation>, nextPageToken: String) {
        guard read.count > size, let last = read[..<size].last else { return (read[...], "") }
        let place = ["\(last.effectiveAt.microsecondsSinceEpoch)", last.id.text]
        return (read[..<size], PageToken(Self.query(code, period) + place).text)
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
        guard !token.isEmpty else { return nil }
        let parts = try PageToken(parsing: token, parts: query.count + 2).parts
        guard Array(parts.prefix(query.count)) == query, let microseconds = Int64(parts[query.count]),
            let sequence = Int64(parts[query.count + 1])
        else { throw PageToken.invalid }
        return .init(at: Instant(microsecondsSinceEpoch: microseconds), sequence: sequence)
    }

    /// A page of what was read with one row more than the page holds, which tells whether there is another page.
    func page(_ read: [Sample]) -> (samples: ArraySlice<Sample>, nextPageToken: String) {
        guard read.count > size, let last = read[..<size].last else { return (read[...], "") }
        let place = ["\(last.at.microsecondsSinceEpoch)", "\(last.sequence.value)"]
        return (read[..<size], PageToken(Self.query(device, metric, period) + place).text)
    }
}

extension FieldViolations {
    fileprivate mutating func period(
        _ startAt: GoogleProtobuf.Timestamp?, _ endAt: GoogleProtobuf.Timestamp?
    ) -> Period? {
        let start = optional("start_at", startAt, Instant.init(checking:))
        let end = optional("end_at", endAt, Instant.init(checking:))
        guard (start == nil) == (startAt == nil), (end == nil) == (endAt == nil) else { return nil }
        return value("end_at", (start, end)) { ends throws(InvalidValue) in try Period(start: ends.0, end: ends.1) }
    }
}
