internal import Application
internal import Time

/// Days as clocks on the wall showed them: of one place, or of wherever each reading was taken.
struct LocalDays: Hashable, Sendable {
    let first: CivilDate
    let count: Int
    /// The clocks of one place; without them each reading's own offset from UTC decides.
    let clocks: LocalTime?

    static let maxDays = 366

    init(first: CivilDate, last: CivilDate, clocks: LocalTime?) throws(InvalidValue) {
        let (days, overflow) = last.daysSinceEpoch.subtractingReportingOverflow(first.daysSinceEpoch)
        guard days >= 0 else { throw InvalidValue("is before the first") }
        guard !overflow, days < Self.maxDays else { throw InvalidValue("is more than \(Self.maxDays - 1) days behind the first") }
        self.first = first
        count = Int(days) + 1
        self.clocks = clocks
    }

    private func date(_ index: Int) -> CivilDate { CivilDate(daysSinceEpoch: first.daysSinceEpoch + Int64(index)) }

    /// Each day with how long it was, if it is a day of one place.
    var days: [(date: CivilDate, length: Duration?)] {
        let starts = starts
        return (0..<count).map { (date($0), starts.isEmpty ? nil : starts[$0 + 1] - starts[$0]) }
    }

    /// When each day began, and when the last ended; none if each reading decides for itself.
    var starts: [Instant] { clocks.map { clocks in (0...count).map { clocks.instant(of: date($0)) } } ?? [] }

    /// All instants that may be on one of the days.
    var period: Period {
        get throws(InvalidValue) {
            if let clocks { return try Period(start: clocks.instant(of: first), end: clocks.instant(of: date(count))) }
            let midnight = LocalTime.utc.instant(of: first)
            return try Period(
                start: midnight - .seconds(Int64(UTCOffset.allowed.upperBound) * 60),
                end: LocalTime.utc.instant(of: date(count)) - .seconds(Int64(UTCOffset.allowed.lowerBound) * 60))
        }
    }
}

/// What the values in one unit were on one day.
struct UnitSummary: Hashable, Sendable {
    /// 0 for the first of the days.
    let day: Int
    let unit: UCUMUnit
    /// The id of the device, or for readings without one what made them; `nil` where all sources are told together.
    let source: String?
    let count: Int64
    let least: DecimalNumber
    let greatest: DecimalNumber
    let sum: DecimalNumber
    let newest: Instant
}

/// What the values of one day were, in one unit.
struct DaySummary: Hashable, Sendable {
    private(set) var count: Int64
    private(set) var least: DecimalNumber
    private(set) var greatest: DecimalNumber
    private var sum: ExactDecimal
    /// Digits behind the point, the most that a value has.
    private var scale: Int

    /// `nil` if the unit's values cannot be said in the other.
    init?(_ summary: UnitSummary, in unit: UCUMUnit, of code: LOINCCode) {
        guard let conversion = UnitConversion(from: summary.unit, to: unit, of: code) else { return nil }
        count = summary.count
        least = conversion.convert(summary.least)
        greatest = conversion.convert(summary.greatest)
        let digits = ExactDecimal(conversion.convert(summary.sum)).scale
        scale = digits
        // The sum is divided once, so it is kept to more digits than its mean is shown with.
        sum = conversion.exactSum(summary.sum, of: summary.count).divided(by: conversion.c, scale: digits + 24)
    }

    mutating func add(_ other: DaySummary) {
        count += other.count
        least = ExactDecimal(other.least) < ExactDecimal(least) ? other.least : least
        greatest = ExactDecimal(greatest) < ExactDecimal(other.greatest) ? other.greatest : greatest
        sum = sum + other.sum
        scale = max(scale, other.scale)
    }

    /// With as many digits as the values have.
    var total: DecimalNumber { sum.divided(by: 1, scale: scale).number }

    /// Rounded half away from zero, to two digits more than the values have.
    var mean: DecimalNumber { sum.divided(by: count, scale: scale + 2).number }
}
