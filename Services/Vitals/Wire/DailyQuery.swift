internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC
internal import Time

/// What a caller asks of `ListDailySummaries`.
struct DailyQuery {
    let code: LOINCCode
    let component: LOINCCode?
    let days: LocalDays
    /// `nil`: every reading counts.
    let merge: SourceMerge?
    private let unit: UCUMUnit?

    init(_ request: VitalsV1.ListDailySummariesRequest, zones: TimeZoneDatabase = .system) throws(RPCError) {
        var violations = FieldViolations()
        let code = violations.value("code", request.code, LOINCCode.init(_:))
        component = request.componentCode.isEmpty ? nil : violations.value("component_code", request.componentCode, LOINCCode.init(_:))
        let first = violations.value("first_date", request.firstDate, CivilDate.init(checking:))
        let last = violations.value("last_date", request.lastDate, CivilDate.init(checking:))
        let clocks = violations.clocks("time_zone", request.timeZone, in: zones)
        merge = violations.merge(request.segmentMinutes, request.sourceRanking)
        let judged = component ?? code
        unit = request.unit.isEmpty ? nil : violations.value("unit", request.unit) { text throws(InvalidValue) in
            try UCUMUnit(wished: text, of: judged)
        }
        let ends = try violations.complete(code, first, last)
        self.code = ends.0
        do throws(InvalidValue) { days = try LocalDays(first: ends.1, last: ends.2, clocks: clocks) } catch { throw .invalid("last_date", error) }
    }

    /// Every day, with what the readings were on it in one unit.
    func answer(_ summaries: [UnitSummary]) -> [VitalsV1.DailySummary] {
        let unit = unit ?? summaries.max { $0.newest < $1.newest }?.unit
        var found: [Int: DaySummary] = [:]
        var counts: [Int: [String: Int64]] = [:]
        for summary in summaries {
            guard let unit, var day = DaySummary(summary, in: unit, of: component ?? code) else { continue }
            if let other = found[summary.day] { day.add(other) }
            found[summary.day] = day
            if let source = summary.source { counts[summary.day, default: [:]][source, default: 0] += summary.count }
        }
        return days.days.enumerated().map { number, day in
            var answer = VitalsV1.DailySummary(date: day.date.description, minutes: Int32(day.length.map { $0 / .seconds(60) } ?? 0))
            if let unit, let summary = found[number] {
                func quantity(_ value: DecimalNumber) -> VitalsV1.Quantity { VitalsV1.Quantity(value: value.text, unit: unit.text) }
                answer.count = Int32(clamping: summary.count)
                answer.least = quantity(summary.least)
                answer.greatest = quantity(summary.greatest)
                answer.mean = quantity(summary.mean)
                answer.total = quantity(summary.total)
                answer.sources = (counts[number] ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { source, count in
                    VitalsV1.SourceCount(source: source, count: Int32(clamping: count))
                }
            }
            return answer
        }
    }
}

extension CivilDate {
    init(checking text: String) throws(InvalidValue) {
        guard let date = CivilDate(text), date.year >= 1 else { throw InvalidValue("is not a date such as 2026-03-29") }
        self = date
    }
}

extension FieldViolations {
    /// Which readings count where several sources have some; `nil`: all.
    fileprivate mutating func merge(_ minutes: Int32, _ ranking: [String]) -> SourceMerge? {
        let longest = SourceMerge.longestMinutes
        check((0...longest).contains(minutes), "segment_minutes", "The field must be 1 to \(longest), or 0 for no segments.")
        check(minutes != 0 || ranking.isEmpty, "source_ranking", "The field needs segment_minutes.")
        check(ranking.count <= SourceMerge.mostRanked, "source_ranking", "The field has more than \(SourceMerge.mostRanked) entries.")
        var sources: [String] = []
        for (place, text) in ranking.prefix(SourceMerge.mostRanked).enumerated() {
            guard let source = value("source_ranking[\(place)]", text, ObservationSource.init(_:)) else { continue }
            sources.append(UUID(uuidString: source.text)?.text ?? source.text)
        }
        return minutes == 0 ? nil : SourceMerge(segmentMinutes: minutes, ranking: sources)
    }

    /// The clocks of a place; `nil` if none is named.
    mutating func clocks(_ field: String, _ name: String, in zones: TimeZoneDatabase) -> LocalTime? {
        name.isEmpty ? nil : value(field, name) { name throws(InvalidValue) in try zones.clocks(name) }
    }
}

extension TimeZoneDatabase {
    func clocks(_ name: String) throws(InvalidValue) -> LocalTime {
        guard let clocks = zone(name) else { throw InvalidValue("is not a time zone such as Europe/Berlin") }
        return clocks
    }
}

extension UCUMUnit {
    /// A unit that readings of a code are wished in.
    init(wished text: String, of code: LOINCCode?) throws(InvalidValue) {
        let unit = try UCUMUnit(text)
        if let code, let units = VitalSigns.units(of: code),
            !units.contains(where: { UnitConversion(from: UCUMUnit(stored: $0), to: unit, of: code) != nil })
        {
            throw InvalidValue("is no unit that values of \(code.text) can have")
        }
        self = unit
    }
}

extension RPCError {
    /// INVALID_ARGUMENT for one field.
    static func invalid(_ field: String, _ reason: InvalidValue) -> RPCError { .invalid([(field: field, description: reason.sentence())]) }
}
