internal import Application
internal import Postgres
internal import Time

/// Reads series piece by piece, as their reader takes them: a piece costs one short statement, and nothing is held between two.
struct SeriesReader: Sendable {
    let postgres: Postgres
    let samples: SampleRepository

    /// Of one message.
    static let samplesPerPiece = 2_000
    static let bucketsPerPiece = 500
    /// For each point of a plot, which bounds what it holds.
    static let maxSamplesPerPoint: Int64 = 100_000
    /// Hours and days that are rolled up in one transaction: a day of a signal with a hundred samples a second takes seconds.
    private static let rollupsAtOnce = 24

    init(postgres: Postgres) {
        self.postgres = postgres
        samples = SampleRepository(postgres: postgres)
    }

    /// A device's series, by name, at most so many behind one. Throws `VitalsError.unknownDevice` unless the device is the person's.
    func list(of device: DeviceID, _ user: UserID, behind metric: String = "", limit: Int) async throws -> [DeviceSeries] {
        let (found, series) = try await postgres.batch(
            .find(device, of: user), .series(of: device, user, behind: metric, limit: limit), identity: .user(user.uuid))
        guard found.rowsAffected == 1 else { throw VitalsError.unknownDevice }
        return try series.rows()
    }

    /// Each sample of a period, oldest first.
    func raw(_ series: SeriesKey, in period: Period, _ write: ([Sample]) async throws -> Void) async throws {
        var place: SampleRepository.Place?
        while true {
            let page = try await samples.list(
                series.metric, of: series.device, series.user, in: period, after: place, limit: Self.samplesPerPiece)
            if !page.isEmpty { try await write(page) }
            guard page.count == Self.samplesPerPiece, let last = page.last else { return }
            place = .init(at: last.at, sequence: last.sequence.value)
        }
    }

    /// The buckets of a period that have samples, in their order, each with its bounds. Those at the ends hold what is within the period.
    func buckets(
        _ series: SeriesKey, _ grid: BucketGrid, in period: Period,
        _ write: ([(bucket: SeriesBucket, start: Instant, end: Instant)]) async throws -> Void
    ) async throws {
        var position = period.start
        while let hour = try await firstHour(of: series, endingAfter: position, before: period.end) {
            let from = max(position, hour)
            // A day of samples at most where rollups are of no use.
            let end = grid.isFinerThanRollups ? min(period.end, from + .seconds(86_400)) : period.end
            let whole = grid.bounds(from: from, before: end, most: Self.bucketsPerPiece)
            let bounds = whole.map { min(max($0, period.start), period.end) }
            guard let last = bounds.last, last > position else { return }
            if !grid.isFinerThanRollups { try await rollUp(series, from: bounds[0], before: last) }
            let found = try await postgres.rows(.buckets(between: bounds, of: series), identity: .user(series.user.uuid))
            if !found.isEmpty { try await write(found.map { ($0, bounds[$0.index], bounds[$0.index + 1]) }) }
            position = last
        }
    }

    /// As many samples of a period as a plot has points, in their order: of all samples, or, where these are many, of the least and the greatest in
    /// each of `PlotSpans`. No more than those are held.
    ///
    /// Throws `VitalsError.tooManySamplesForPlot`.
    func plot(_ series: SeriesKey, in period: Period, points: Int, _ write: ([Sample]) async throws -> Void) async throws {
        try await rollUp(series, from: period.start, before: period.end)
        let counted = try await postgres.first(.buckets(between: [period.start, period.end], of: series), identity: .user(series.user.uuid))
        guard let counted else { return }
        guard counted.count <= Self.maxSamplesPerPoint * Int64(points - 2) else { throw VitalsError.tooManySamplesForPlot }
        var candidates: [Sample] = []
        if counted.count <= PlotSpans.samplesPerPoint * points {
            try await raw(series, in: period) { candidates += $0 }
        } else {
            candidates = try await extremes(of: series, in: period, through: counted.last, points: points)
        }
        var rest = LargestTriangles.chosen(points, of: candidates)[...]
        while !rest.isEmpty {
            try await write(Array(rest.prefix(Self.samplesPerPiece)))
            rest = rest.dropFirst(Self.samplesPerPiece)
        }
    }

    /// The first sample, the last, and between them the least and the greatest of each span. What comes meanwhile is left out or not.
    private func extremes(of series: SeriesKey, in period: Period, through last: Sample, points: Int) async throws -> [Sample] {
        guard let first = try await samples.list(series.metric, of: series.device, series.user, in: period, after: nil, limit: 1).first else {
            return []
        }
        var found = [first]
        for bounds in PlotSpans(from: first.at, through: max(first, last).at, points: points).pieces {
            let bounds = bounds.map { min(max($0, period.start), period.end) }
            found += try await postgres.rows(.extremes(between: bounds, of: series), identity: .user(series.user.uuid))
                .filter { first < $0 && $0 < last }
        }
        return first < last ? found + [last] : found
    }

    private func firstHour(of series: SeriesKey, endingAfter position: Instant, before end: Instant) async throws -> Instant? {
        guard position < end else { return nil }
        return try await postgres.first(
            .firstHour(of: series, endingAfter: position, before: end), identity: .user(series.user.uuid))?.value
    }

    /// Makes stale rollups of a period anew, so that reading them is quick; that they are read right does not depend on it. What somebody is
    /// adding to just now stays stale.
    func rollUp(_ series: SeriesKey, from start: Instant, before end: Instant) async throws {
        var isFull = true
        while isFull {
            isFull = try await postgres.transaction(identity: .user(series.user.uuid), tier: .normal) { transaction in
                let stale = try await transaction.rows(.holdStale(of: series, from: start, before: end, limit: Self.rollupsAtOnce))
                guard !stale.isEmpty else { return false }
                let (hours, days) = try await transaction.batch(
                    .rollUp(hours: stale.filter { $0.hours == 1 }.map(\.startsAt), of: series),
                    .rollUp(days: stale.filter { $0.hours == 24 }.map(\.startsAt), of: series))
                return stale.count == Self.rollupsAtOnce && hours.rowsAffected + days.rowsAffected > 0
            }
        }
    }
}
