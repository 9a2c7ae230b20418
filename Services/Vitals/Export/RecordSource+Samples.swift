internal import Application
internal import FHIR
internal import FoundationEssentials
internal import Postgres
internal import Time

extension RecordSource {
    /// The samples of every series, device by device, each in runs.
    ///
    /// - Parameters:
    ///   - count: how many are read at a time, two at least; no more are held, however long a series is. Each of them may be a line.
    ///   - mostBytes: what a page has about. The last that was read may be as much again, and all of it has to fit into one message.
    static func samples(of postgres: Postgres, by count: Int = SeriesReader.samplesPerPiece, mostBytes: Int = 1 << 20) -> RecordSource {
        RecordSource("samples") { user, place in
            var next = try place.map { text throws(ExportError) in try SamplePlace(parsing: text) }
            var page = RecordPage()
            // Series whose samples are no longer kept have no bytes, and reading them takes time too.
            for _ in 0..<200 {
                next = try await postgres.tellSamples(of: UserID(user), from: next, by: count, on: &page)
                guard next != nil, page.content.count < mostBytes * 3 / 4 else { break }
            }
            page.next = next?.text
            return page
        }
    }
}

extension Postgres {
    /// Puts some samples of one series on a page. Answers where it goes on, or `nil` behind the last series.
    fileprivate func tellSamples(of user: UserID, from place: SamplePlace?, by count: Int, on page: inout RecordPage) async throws -> SamplePlace? {
        let found = try await rows(.exportedSeries(of: user, from: place), identity: .user(user.uuid))
        guard let current = found.first else { return nil }
        let metric = current.series.metric
        let isBegun = place?.device == current.device && place?.metric == metric.name.text
        let after: SampleRepository.Place = isBegun ? place?.after ?? .first : .first
        let samples = try await rows(
            Statement<Sample>.list(metric.name, of: current.device, user, after: after, before: Period.always.end, limit: count),
            identity: .user(user.uuid))
        let isFull = samples.count == count
        var runs = SampleRun.cut(samples)
        // The last was cut by the limit; what is read next begins with it.
        if isFull, runs.count > 1 { runs.removeLast() }
        for run in runs {
            guard let told = FHIR.SampledObservation(run, of: metric, current.device, user.uuid) else { continue }
            page.content += told.entry + Array(",\n".utf8)
            page.counts[FHIR.SampledObservation.type, default: 0] += 1
        }
        if isFull, let last = runs.last?.samples.last {
            return SamplePlace(device: current.device, metric: metric.name.text, after: .init(at: last.at, sequence: last.sequence.value))
        }
        return found.dropFirst().first.map { SamplePlace(device: $0.device, metric: $0.series.metric.name.text, after: nil) }
    }
}

extension SampleRepository.Place {
    /// Before every sample.
    fileprivate static let first = SampleRepository.Place(at: Period.always.start, sequence: -1)
}

/// Where the samples of a person go on: behind one of a series, or with its first.
struct SamplePlace: Hashable, Sendable {
    let device: DeviceID
    let metric: String
    let after: SampleRepository.Place?

    init(device: DeviceID, metric: String, after: SampleRepository.Place?) {
        self.device = device
        self.metric = metric
        self.after = after
    }

    init(parsing text: String) throws(ExportError) {
        let parts = text.split(separator: " ").map { String($0) }
        guard parts.count == 2 || parts.count == 4, let device = UUID(uuidString: parts[0]) else { throw .noSuchPlace }
        var after: SampleRepository.Place?
        if parts.count == 4 {
            guard let at = Int64(parts[2]), let sequence = Int64(parts[3]) else { throw .noSuchPlace }
            after = SampleRepository.Place(at: Instant(microsecondsSinceEpoch: at), sequence: sequence)
        }
        self.init(device: DeviceID(device), metric: parts[1], after: after)
    }

    var text: String {
        let series = "\(device.text) \(metric)"
        guard let after else { return series }
        return "\(series) \(after.at.microsecondsSinceEpoch) \(after.sequence)"
    }
}

/// A series, and of which device.
struct ExportedSeries: RowDecodable {
    let device: DeviceID
    let series: DeviceSeries

    init(row: Row) throws(PostgresError) {
        device = DeviceID(try row.decode("device_id"))
        series = try DeviceSeries(row: row)
    }
}

extension Statement<ExportedSeries> {
    /// The series of a place, or if it is gone the one behind it, and the next.
    static func exportedSeries(of user: UserID, from place: SamplePlace?) -> Self {
        let rest: Query = if let place { "AND (device_id, metric_type) >= (\(place.device.uuid), \(place.metric))" } else { "" }
        return .reading(
            """
            SELECT device_id, metric_type, code, unit, last_sequence, created_at FROM vitals.device_series
            WHERE user_id = \(user.uuid) \(rest) ORDER BY device_id, metric_type LIMIT 2
            """,
            tier: .normal)
    }
}
